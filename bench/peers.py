"""Nodes and peers that serve: set up in a folder, started, stopped by their own number."""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

import kit

sys.path.insert(0, str(kit.HERE.parent / "tests/e2e"))
import world  # noqa: E402 (found by the line above)


def certificates(folder):
    """An authority, and a key for 127.0.0.1 that it vouches for: P-256, as ours."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=authority")
    openssl("req", *curve, "-keyout", "peer.key", "-out", "peer.csr", "-subj", "/CN=127.0.0.1")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
    openssl("x509", "-req", "-in", "peer.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out",
            "peer.crt", "-days", "2", "-extfile", "names")


def free_ports(count):
    """Ports that nobody listens on now. The kernel does not give them out again soon."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Node:
    """A node of ours and one owner, Alice."""

    def __init__(self, build, folder):
        self.world = world.World(build, where=folder)
        self.node = world.Node(self.world, idle_timeout_s=600)
        self.node.start()
        self.node.join("admin")
        self.node.welcome("alice")
        self.pid = self.node.process.pid

    def close(self):
        self.world.close()

    def put(self, name, content):
        """The id of a data set of Alice's."""
        path = self.world.dir / name
        path.write_bytes(content)
        return self.world.json("alice", "data", "put", name, path)["data"]

    def load(self, build, connections, requests):
        """Clients that are Alice, each with a connection of its own."""
        path = self.world.dir / "requests"
        path.write_text("".join(line + "\n" for line in requests))
        return kit.Talk([build / "bench/load", "node", self.world.dir / "alice", "node", connections, path])


class Nginx:
    """One worker that answers everything with the same bytes."""

    def __init__(self, folder, answer):
        self.program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        if self.program is None:
            raise kit.Skipped("nginx is not there")
        self.folder = folder / "nginx"
        self.folder.mkdir()
        certificates(self.folder)
        [self.port] = free_ports(1)
        user = "user root;" if os.geteuid() == 0 else ""
        (self.folder / "nginx.conf").write_text(f"""
{user} daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_timeout 600s; keepalive_requests 1000000000; default_type application/json;
  client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy;
  fastcgi_temp_path {self.folder}/fastcgi; uwsgi_temp_path {self.folder}/uwsgi; scgi_temp_path {self.folder}/scgi;
  server {{
    listen 127.0.0.1:{self.port} ssl;
    ssl_certificate {self.folder}/peer.crt; ssl_certificate_key {self.folder}/peer.key;
    ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256; ssl_ecdh_curve prime256v1;
    ssl_session_tickets off; ssl_session_cache off;
    location / {{ return 200 '{answer}'; }}
  }}
}}
""")
        self.process = subprocess.Popen([self.program, "-p", self.folder, "-e", self.folder / "error.log", "-c",
                                         self.folder / "nginx.conf"],
                                        stderr=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while not (self.folder / "pid").exists() or not self.workers():
            if self.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("nginx does not start: " + (self.folder / "error.log").read_text())
            time.sleep(0.02)
        [self.pid] = self.workers()

    def workers(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(word) for word in children.read_text().split()]

    def close(self):
        self.process.terminate()
        self.process.wait()

    def load(self, build, connections, requests):
        path = self.folder / "requests"
        path.write_text("".join(line + "\n" for line in requests))
        return kit.Talk([build / "bench/load", "tls", f"127.0.0.1:{self.port}", self.folder / "ca.crt", connections,
                         path])


class Etcd:
    """etcd of one node, TLS both ways, built from bench/etcd; and its own client as the load."""

    def __init__(self, build, folder):
        self.programs = build / "bench-etcd"
        self.build_programs()
        self.folder = folder / "etcd"
        self.folder.mkdir()
        certificates(self.folder)
        client, peer = free_ports(2)
        self.url = f"https://127.0.0.1:{client}"
        files = [f"--{side}{kind}={self.folder}/{name}" for side in ("", "peer-")
                 for kind, name in (("cert-file", "peer.crt"), ("key-file", "peer.key"), ("trusted-ca-file", "ca.crt"))]
        self.process = subprocess.Popen(
            [self.programs / "server", "--name=one", f"--data-dir={self.folder}/data", *files, "--client-cert-auth",
             "--peer-client-cert-auth", f"--listen-client-urls={self.url}", f"--advertise-client-urls={self.url}",
             f"--listen-peer-urls=https://127.0.0.1:{peer}", f"--initial-advertise-peer-urls=https://127.0.0.1:{peer}",
             f"--initial-cluster=one=https://127.0.0.1:{peer}", "--log-level=error"], stderr=open(self.folder / "log", "wb"))
        self.pid = self.process.pid

    def build_programs(self):
        source = kit.HERE / "etcd"
        go = shutil.which("go", path=os.environ["PATH"] + ":/usr/local/go/bin")
        if all((self.programs / name).exists() for name in ("server", "load")):
            return
        if go is None:
            raise kit.Skipped("there is no Go to build etcd 3.6 with")
        done = subprocess.run([go, "build", "-trimpath", "-o", f"{self.programs}/", "./server", "./load"], cwd=source,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise kit.Skipped("etcd 3.6 cannot be built here: " + done.stdout.strip().splitlines()[-1])

    def load(self, outstanding, connections):
        return kit.Talk([self.programs / "load", self.url, self.folder / "ca.crt", self.folder / "peer.crt",
                         self.folder / "peer.key", outstanding, connections])

    def close(self):
        self.process.terminate()
        self.process.wait()
