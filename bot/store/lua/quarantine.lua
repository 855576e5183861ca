-- Put aside a session that cannot be read, unless it has changed meanwhile.
-- KEYS: session hash, quarantine hash   ARGV: revision, life (s)
if redis.call('HGET', KEYS[1], 'r') == ARGV[1] then
  redis.call('RENAME', KEYS[1], KEYS[2])
  redis.call('EXPIRE', KEYS[2], ARGV[2])
  return 1
end
return 0
