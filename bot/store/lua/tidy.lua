-- Forget the names of processes long gone that left nothing behind.
-- KEYS: outbox stream   ARGV: idle (ms)
-- Returns how many
local gone = 0
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0 -- the partition has no outbox yet
end
local known = redis.call('XINFO', 'CONSUMERS', KEYS[1], 'out')
for _, consumer in ipairs(known) do
  local is = {}
  for i = 1, #consumer, 2 do
    is[consumer[i]] = consumer[i + 1]
  end
  if is.pending == 0 and is.idle >= tonumber(ARGV[1]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], 'out', is.name)
    gone = gone + 1
  end
end
return gone
