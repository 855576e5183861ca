-- The browser came back: its state is taken, once. Another browser takes nothing.
-- KEYS: sign-in   ARGV: state's name, browser's name
-- Returns {sealed record, sealed secrets}, or false
local known = redis.call('HMGET', KEYS[1], 's', 'w', 'b', 'v')
if known[1] ~= ARGV[1] or known[2] ~= ARGV[2] then
  return false
end
redis.call('HDEL', KEYS[1], 's', 'v')
return {known[3], known[4]}
