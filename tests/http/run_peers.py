#!/usr/bin/env python3
"""Lets Skerry's HTTP and TLS talk to those of others, over loopback.

    tests/http/run_peers.py

Clients of Python, and of curl where it is installed, ask a server in Skerry (server.sk); a client in
Skerry (client.sk) asks servers of Python, and of Node where it is installed (peer.js). With and
without TLS."""

import http.client
import http.server
import os
import shutil
import ssl
import subprocess
import sys
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CERTS = ROOT / "tests/lang/net/certs"
SKERRY = os.environ.get("SKERRY", str(ROOT / "build/release/skerry"))
TIMEOUT_S = 60
passed = failed = 0


def check(what, got, expected):
    global passed, failed
    if got == expected:
        passed += 1
        return
    failed += 1
    print(f"FAIL {what}\n  expected {expected!r}\n  got      {got!r}")


class Process:
    """One that prints its port first."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline() or -1)

    def __enter__(self):
        return self.port

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def skerry(script, *args):
    return [SKERRY, "run", "--allow=net=127.0.0.1,net=localhost", f"--allow=fs.read={CERTS}",
            str(HERE / script), *map(str, args)]


# ---- clients of others, servers of ours

def python_client(port, tls):
    if tls:
        connection = http.client.HTTPSConnection(
            "localhost", port, timeout=TIMEOUT_S,
            context=ssl.create_default_context(cafile=str(CERTS / "authority.pem")))
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    name = f"Python's client{' with TLS' if tls else ''}"
    for body in (None, "x" * 100000):
        connection.request("POST" if body else "GET", "/echo?a=b", body, {"X-Asked": "yes"})
        reply = connection.getresponse()
        check(name, (reply.status, reply.getheader("X-Answer"), reply.read().decode()),
              (200, "yes", f"{'POST' if body else 'GET'} /echo?a=b {body or ''}"))
    connection.request("PUT", "/chunked", iter([b"abc", b"def"]), encode_chunked=True,
                       headers={"Transfer-Encoding": "chunked"})
    check(f"{name}, chunks up", connection.getresponse().read().decode(), "PUT /chunked abcdef")
    connection.request("GET", "/stream")
    check(f"{name}, chunks down", connection.getresponse().read().decode(),
          "".join(f"line {i}\n" for i in range(1000)))
    connection.close()


def curl_client(port, tls):
    base = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
    name = f"curl{' with TLS' if tls else ''}"
    trust = ["--cacert", str(CERTS / "authority.pem")] if tls else []

    def curl(*args, stdin=""):
        return subprocess.run(["curl", "-sS", *trust, *args], input=stdin, stdout=subprocess.PIPE,
                              text=True, timeout=TIMEOUT_S, check=False).stdout

    check(name, curl("-H", "X-Asked: yes", f"{base}/a", f"{base}/b"), "GET /a GET /b ")
    big = "y" * 2000000  # curl asks whether it may go on with a body of this size
    check(f"{name}, 100-continue", curl("-d", "@-", f"{base}/up", stdin=big), f"POST /up {big}")
    check(f"{name}, redirect", curl("-L", f"{base}/redirect"), "GET /echo ")
    check(f"{name}, HTTP/1.0", curl("-0", f"{base}/old"), "GET /old ")
    check(f"{name}, HEAD", curl("-I", f"{base}/x").splitlines()[0], "HTTP/1.1 200 OK")


# ---- servers of others, clients of ours

class PythonHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        text = f"{self.command} {self.path} ".encode() + body
        self.send_response(200)
        self.send_header("X-Answer", self.headers.get("X-Asked", "no"))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass


def ask(what, port, tls, path, expected, method="GET", body=None):
    base = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
    args = [method, base + path] + ([body] if body is not None else [""] if tls else [])
    if tls:
        args.append(CERTS / "authority.pem")
    done = subprocess.run(skerry("client.sk", *args), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_S, check=False)
    check(f"{what}{' with TLS' if tls else ''}, {path}", done.stdout, f"{expected}\n" * 2)


def ask_python(tls):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), PythonHandler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTS / "local.pem", CERTS / "local.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    ask("Python's server", port, tls, "/a?b", "200 yes 9 GET /a?b")
    ask("Python's server", port, tls, "/p", "200 yes 12 POST /p text", "POST", "text")
    server.shutdown()
    server.server_close()


def ask_node(tls):
    files = [str(CERTS / "local.pem"), str(CERTS / "local.key")] if tls else []
    with Process(["node", str(HERE / "peer.js"), *files]) as port:
        ask("Node's server", port, tls, "/a?b", "200 yes 9 GET /a?b")
        ask("Node's server", port, tls, "/p", "200 yes 12 POST /p text", "POST", "text")
        ask("Node's server", port, tls, "/chunks", "200 yes 9890 chunk 0")
        ask("Node's server", port, tls, "/redirect", "200 yes 16 GET /echo?moved")


def main():
    told = subprocess.run([SKERRY, "version", "-v"], stdout=subprocess.PIPE, text=True, check=True)
    if any(line.startswith("without ") and "std.http" in line for line in told.stdout.splitlines()):
        print("0 passed, 0 failed: this build has no std.http")
        return 0
    has_tls = (Path(SKERRY).parent / "skerry-tls.so").exists()
    for tls in (False, True) if has_tls else (False,):
        files = [CERTS / "local.pem", CERTS / "local.key"] if tls else []
        with Process(skerry("server.sk", *files)) as port:
            python_client(port, tls)
            if shutil.which("curl"):
                curl_client(port, tls)
        ask_python(tls)
        if shutil.which("node"):
            ask_node(tls)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
