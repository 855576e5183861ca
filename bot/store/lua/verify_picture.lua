-- The picture of a verification: drawn once, because many drawings of the same digits are easier to read by machine.
-- KEYS: standing of the chat (hash)   ARGV: ref, number, sealed picture to keep ('' to look only)
-- Returns the sealed picture, '' where none was kept yet, false where another picture is asked for by now
local open = redis.call('HMGET', KEYS[1], 'r', 'n', 'i')
if open[1] ~= ARGV[1] or open[2] ~= ARGV[2] then
  return false
elseif open[3] then
  return open[3]
elseif ARGV[3] ~= '' then
  redis.call('HSET', KEYS[1], 'i', ARGV[3])
end
return ARGV[3]
