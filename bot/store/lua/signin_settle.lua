-- The provider has vouched for somebody: what the chat will ask for, and who it is.
-- KEYS: sign-in   ARGV: state's name, code's name, sealed result
-- Returns 1, or 0 when the sign-in is over, settled, or was started again meanwhile
local known = redis.call('HMGET', KEYS[1], 'g', 'k')
if known[1] ~= ARGV[1] or known[2] then
  return 0
end
redis.call('HSET', KEYS[1], 'k', ARGV[2], 'c', ARGV[3])
return 1
