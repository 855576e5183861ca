from tests.store.servers import redis, servers

__all__ = ["redis", "servers"]
