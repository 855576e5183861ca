-- A sign-in is asked for; asked for again under the same key, it is the one that is there.
-- KEYS: sign-in   ARGV: effect key, chat name, token's name, sealed record, life (s)
-- Returns the sealed record, or false when another effect has this reference
local key = redis.call('HGET', KEYS[1], 'a')
if key then
  return key == ARGV[1] and redis.call('HGET', KEYS[1], 'b')
end
redis.call('HSET', KEYS[1], 'a', ARGV[1], 'n', ARGV[2], 't', ARGV[3], 'b', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[5]) -- never extended
return ARGV[4]
