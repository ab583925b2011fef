"""Celery speaks to the broker through one client for each channel."""

import redis
from kombu.transport.redis import Channel as KombusChannel

from config.celery import app
from config.transport import Channel, Transport


def test_every_url_of_redis_leads_to_our_transport() -> None:
    for url in ("redis://127.0.0.1", "rediss://127.0.0.1", "redis+socket:///tmp/valkey.sock", None):
        assert isinstance(app.connection_for_write(url).transport, Transport)


def test_a_channel_makes_one_client_for_all_commands_and_another_when_its_pool_is_new() -> None:
    made: list[redis.Redis] = []

    class Counted(Channel):
        def _create_client(self, asynchronous: bool = False) -> redis.Redis:
            client: redis.Redis = super()._create_client(asynchronous)
            if not asynchronous:
                made.append(client)
            return client

    class Counting(Transport):
        Channel = Counted

    with app.connection_for_write() as connection:
        connection.transport_cls = Counting
        channel = connection.default_channel
        made.clear()
        for _ in range(3):
            with channel.conn_or_acquire() as client:
                assert client.ping()
            assert channel._size("nothing") == 0
        assert len(made) <= 1
        channel._disconnect_pools()
        assert channel._size("nothing") == 0
        with channel.conn_or_acquire() as other:
            assert other is not client
            assert other.connection_pool is channel.pool


def test_kombu_still_makes_a_client_for_each_command() -> None:
    """Or our transport has become needless."""
    with app.connection_for_write() as connection:
        channel = KombusChannel(connection.transport)
        with channel.conn_or_acquire() as one, channel.conn_or_acquire() as other:
            assert one is not other
