"""TPMs in software, and nodes that have one."""
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

import world

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "vm"))
import host  # noqa: E402, F401
import machine  # noqa: E402


class Tpm:
    """One TPM, whose state outlives its process; its path is short, for a socket's name is."""

    def __init__(self, is_told=False, is_certified=True):
        self.is_told = is_told  # before its power goes off: a TPM that is cut off again and again locks itself
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="mesatee-e2e-tpm-"))
        self.dir.chmod(0o711)
        self.maker, self.process = None, None
        if is_certified:
            self.maker = machine.make_tpm(self.dir / "state")
        else:  # nobody vouches for it: it makes itself when it starts
            (self.dir / "state").mkdir()

    def start(self):
        path = self.dir / "tpm"
        for p in (path, self.dir / "tpm.ctrl"):
            p.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.dir}/state", "--server", f"type=unixio,path={path},mode=0666",
             "--ctrl", f"type=unixio,path={path}.ctrl,mode=0666", "--flags", "not-need-init,startup-clear"], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        # The node asks as nobody. A socket is there before it has its mode: until then it would be refused.
        if not world.until(lambda: all(p.exists() and p.stat().st_mode & 0o777 == 0o666 for p in (path, self.dir / "tpm.ctrl"))):
            raise world.Failed("swtpm does not start")
        return f"swtpm:path={path}"

    def run(self, *command):
        where = f"swtpm:path={self.dir}/tpm"
        subprocess.run(command, env={"PATH": "/usr/bin:/bin", "TPM2TOOLS_TCTI": where}, check=True)

    def stop(self):
        """The power goes off: a TPM whose machine was stopped in order is told before."""
        if self.process is not None:
            if self.is_told:
                self.run("tpm2_shutdown", "--clear")
            self.process.terminate()
            self.process.wait()
            self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


def start(node, tpm):
    """The node by a TPM that was switched on just now."""
    tpm.stop()
    text = "".join(line for line in node.conf.read_text().splitlines(True) if not line.startswith("tpm ="))
    node.conf.write_text(text + f"tpm = {tpm.start()}\n")
    return node


class Failing:
    """Stands before a TPM and answers one command in its place: with an error, or not at all."""

    UNSEAL, BROKEN, HEAD = 0x15E, struct.pack(">HII", 0x8001, 10, 0x101), 10

    def __init__(self, tpm, is_mute):
        self.tpm, self.is_mute = tpm, is_mute
        for name in ("between", "between.ctrl"):
            (tpm.dir / name).unlink(missing_ok=True)
            listening = socket.socket(socket.AF_UNIX)
            listening.bind(str(tpm.dir / name))
            (tpm.dir / name).chmod(0o666)
            listening.listen()
            threading.Thread(target=self.serve, args=(listening, str(tpm.dir / name.replace("between", "tpm")), name == "between"),
                             daemon=True).start()
        self.path = f"swtpm:path={tpm.dir}/between"

    def serve(self, listening, path, has_commands):
        while True:
            with listening.accept()[0] as client, socket.socket(socket.AF_UNIX) as real:
                real.connect(path)
                while message := self.hear(client) if has_commands else client.recv(4096):
                    if has_commands and struct.unpack_from(">I", message, 6)[0] == self.UNSEAL:
                        if self.is_mute:
                            break
                        client.sendall(self.BROKEN)
                        continue
                    real.sendall(message)
                    client.sendall(self.hear(real) if has_commands else real.recv(4096))

    def hear(self, s):
        got = b""
        while len(got) < self.HEAD or len(got) < struct.unpack_from(">I", got, 2)[0]:
            if not (piece := s.recv(4096)):
                return b""
            got += piece
        return got
