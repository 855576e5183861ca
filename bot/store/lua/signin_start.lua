-- The button was pressed. An earlier press is forgotten: its way back leads nowhere.
-- KEYS: sign-in   ARGV: token's name, state's name, browser's name, sealed secrets
-- Returns 1, or 0 when the link is not this one or somebody has signed in through it
local known = redis.call('HMGET', KEYS[1], 't', 'k')
if known[1] ~= ARGV[1] or known[2] then
  return 0
end
redis.call('HSET', KEYS[1], 's', ARGV[2], 'g', ARGV[2], 'w', ARGV[3], 'v', ARGV[4])
return 1
