"""An emulator of BigQuery on loopback: `emulator.py REST_PORT GRPC_PORT`."""

import sys

from bqemulator.storage import engine

# It would be fetched from the internet, and no statement of ours needs it.
engine.DuckDBEngine._load_spatial = lambda self: None

from bqemulator.cli import main  # noqa: E402

rest, grpc = sys.argv[1:3]
sys.argv[1:] = ["start", "--rest-host", "127.0.0.1", "--rest-port", rest, "--grpc-port", grpc, "--log-level", "error"]
main()
