"""A bare SSE server: raw asyncio, fed by the NOTIFY of our triggers, the same bytes to everybody. It reads no log.

``python -m benchmarks.sync.bare_streams PORT DATABASE_URL``
"""

import asyncio
import sys
from typing import Any

import psycopg
import uvloop

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: hello\ndata: {}\n\n"
OTHER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
# As long as a change of a zone on our stream.
FRAME = b"id: " + b"x" * 180 + b"\nevent: sync\ndata: " + b"y" * 280 + b"\n\n"


class Connection(asyncio.Protocol):
    everybody: set["Connection"] = set()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if b"/events" in data:
            self.transport.write(HEAD)
            self.everybody.add(self)
        else:
            self.transport.write(OTHER)
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.everybody.discard(self)


async def main(port: str, url: str) -> None:
    await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", int(port), backlog=2048)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as bell:
        await bell.execute("LISTEN syncing")
        async for _ in bell.notifies():
            for connection in Connection.everybody:
                connection.transport.write(FRAME)


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
