-- Put aside a session that cannot be read, unless it has changed meanwhile.
-- KEYS: session (bot/store/parcel.py), quarantine   ARGV: revision ('' for none), life (s)
local value = redis.call('GET', KEYS[1])
if value and (string.match(value, '^(%d+) %S* %d+\n') or '') == ARGV[1] then
  redis.call('RENAME', KEYS[1], KEYS[2])
  redis.call('EXPIRE', KEYS[2], ARGV[2])
  return 1
end
return 0
