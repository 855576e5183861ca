-- A chat's verification: the one that is open, else a new one. At most one at a time, so asking again gains nothing.
-- KEYS: standing of the chat (hash), pointer from the link to the chat
-- ARGV: now (s), closes (s), sealed token, ref, sealed chat, language, life (s)
-- Returns {sealed token, closes, number of its picture}
local open = redis.call('HMGET', KEYS[1], 't', 'x', 'n')
if open[1] and tonumber(open[2]) > tonumber(ARGV[1]) and open[3] ~= '0' then
  return open
end
redis.call('HSET', KEYS[1], 't', ARGV[3], 'x', ARGV[2], 'r', ARGV[4], 'l', ARGV[6], 'n', '1')
redis.call('HDEL', KEYS[1], 'i')
redis.call('EXPIRE', KEYS[1], ARGV[7])
redis.call('SET', KEYS[2], ARGV[5], 'EX', ARGV[7])
return {ARGV[3], ARGV[2], '1'}
