-- Put aside a session that cannot be read, unless it has changed meanwhile.
-- KEYS: session (bot/store/parcel.py), what was put aside of the chat (sorted set by the second), quarantine
-- ARGV: revision ('' for none), life (s), the last part of the quarantine's key
local value = redis.call('GET', KEYS[1])
if value and (string.match(value, '^(%d+) %S* %d+\n') or '') == ARGV[1] then
  local now, life = tonumber(redis.call('TIME')[1]), tonumber(ARGV[2])
  redis.call('RENAME', KEYS[1], KEYS[3])
  redis.call('EXPIRE', KEYS[3], life)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - life)
  redis.call('ZADD', KEYS[2], now, ARGV[3])
  redis.call('EXPIRE', KEYS[2], life)
  return 1
end
return 0
