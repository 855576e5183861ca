-- Take over entries of the outbox that nobody has worked on for a while.
-- KEYS: outbox stream   ARGV: consumer, idle (ms), ids...
-- Returns {ids gone, {id, sealed entry} taken}; ids in neither are still being worked on.
local taken, gone = {}, {}
for i = 3, #ARGV do
  if #redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i]) == 0 then
    gone[#gone + 1] = ARGV[i]
  else
    local got = redis.call('XCLAIM', KEYS[1], 'out', ARGV[1], ARGV[2], ARGV[i])
    if #got > 0 then
      taken[#taken + 1] = {got[1][1], got[1][2][2]}
    elseif #redis.call('XPENDING', KEYS[1], 'out', ARGV[i], ARGV[i], 1) == 0 then
      -- Nobody's: it was done, and what deletes it was lost with a connection or a server.
      redis.call('XDEL', KEYS[1], ARGV[i])
      gone[#gone + 1] = ARGV[i]
    end
  end
end
return {gone, taken}
