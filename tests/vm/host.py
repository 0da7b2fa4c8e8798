"""A host who keeps what passes him, shows evidence of the machine outside it, and changes it. He holds no key of the machine's."""
import os
import pathlib
import socket
import ssl
import struct
import subprocess
import threading

import machine

NOTHING = bytes.fromhex("850102646e6f6e654080")  # spec/attest-round.md: ATTEST of a party without evidence
REQUEST, ATTEST = b"\x84\x01\x01", b"\x85\x01\x02"
NO_ACTION = 3  # an event that extends nothing


def question(nonce):
    return REQUEST + b"\x58\x20" + nonce + b"\x81\x63tpm"


def say(s, message):
    s.sendall(struct.pack(">I", len(message)) + message)


def hear(s, kind):
    """The next message of this kind."""
    with s.makefile("rb") as f:
        while True:
            head = f.read(4)
            if len(head) < 4:
                raise machine.Failed("the other end hung up")
            message = f.read(struct.unpack(">I", head)[0])
            if message.startswith(kind):
                return message


class Host:
    def __init__(self, folder):
        """With a key of his own, as anybody has."""
        folder.mkdir()
        self.files = folder / "certificate.pem", folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=MesaTEE",
                        "-out", self.files[0], "-keyout", self.files[1]], check=True, stderr=subprocess.DEVNULL)

    def tls(self, role):
        context = ssl.SSLContext(role)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.set_ecdh_curve("prime256v1")
        context.load_cert_chain(*self.files)
        return context

    def ask(self, port, message=None):
        """What the machine shows to a stranger who asks it so."""
        with socket.create_connection(("127.0.0.1", port), timeout=300) as plain, self.tls(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(plain) as s:
            say(s, message or question(os.urandom(32)))
            say(s, NOTHING)
            return hear(s, ATTEST)

    def pose(self, answer):
        """Stands in for the machine: the port, at which the next caller's question gets this answer."""
        listening = socket.create_server(("127.0.0.1", 0))
        context = self.tls(ssl.PROTOCOL_TLS_SERVER)
        context.num_tickets = 0

        def serve():
            with listening, listening.accept()[0] as plain, context.wrap_socket(plain, server_side=True) as s:
                say(s, question(os.urandom(32)))
                say(s, answer(hear(s, REQUEST)))
                s.recv(1)  # until the caller has seen enough

        threading.Thread(target=serve, daemon=True).start()
        return listening.getsockname()[1]


def events(log):
    """[(PCR, kind, from, to)] of a firmware's log of the TCG, which begins with an event that describes it."""
    at, out = 32 + struct.unpack_from("<I", log, 28)[0], []
    while at < len(log):
        pcr, kind, count = struct.unpack_from("<III", log, at)
        end = at + 12
        for _ in range(count):
            end += 2 + machine.SIZES[struct.unpack_from("<H", log, end)[0]]
        end += 4 + struct.unpack_from("<I", log, end)[0]
        out.append((pcr, kind, at, end))
        at = end
    return out


def with_events_swapped(receipt):
    """A receipt in whose evidence two neighbours of the firmware's log have changed places: the same events, in another order."""
    start = receipt.rindex(b"Spec ID Event03\0") - 32  # the first one is of the node's own log
    [length] = struct.unpack_from(">H", receipt, start - 2)  # a CBOR byte string of that many
    log = receipt[start:start + length]
    for (pcr, kind, a, b), (other, other_kind, _, c) in zip(listed := events(log), listed[1:]):
        if pcr == other and NO_ACTION not in (kind, other_kind) and log[a:b] != log[b:c]:
            return receipt[:start] + log[:a] + log[b:c] + log[a:b] + log[c:] + receipt[start + length:]
    raise machine.Failed("the log has no two events to swap")
