"""What is kept in Redis: sessions, outbox, timers and the web chat's log, all of it sealed."""
