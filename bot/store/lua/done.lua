-- Deliveries are noted: their entries leave the outbox and whoever had them in hand, or neither.
-- KEYS: outbox stream   ARGV: ids
for i = 1, #ARGV do
  redis.call('XACK', KEYS[1], 'out', ARGV[i])
  redis.call('XDEL', KEYS[1], ARGV[i])
end
return #ARGV
