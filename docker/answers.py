"""Whether an address of this machine answers with HTTP status 200: the health check of our containers."""

import sys
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

try:
    # Without the environment's proxy, which would take this machine's addresses for its own.
    build_opener(ProxyHandler({})).open(sys.argv[1], timeout=8).close()
except (URLError, OSError) as error:
    sys.exit(f"{sys.argv[1]}: {error}")
