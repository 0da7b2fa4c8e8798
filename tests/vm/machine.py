"""A machine in software: QEMU, OVMF and a TPM (swtpm), as somebody's host would start it. Nothing of it is trusted."""
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import time

FIRMWARE = pathlib.Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
VARIABLES = pathlib.Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
MEMORY_MIB, CPUS = 768, 2
BOOT_S = 600  # emulation on a busy machine; 15 s on an idle one

EXTEND, SHA256, SIZES = 0x182, 11, {4: 20, 11: 32, 12: 48, 13: 64}


class Failed(Exception):
    pass


def make_data_disk(path, files, mib=256):
    """An empty ext4 with the label that init looks for, and what the operator gives the node."""
    folder = path.with_suffix(".files")
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o644)
    with path.open("wb") as f:
        f.truncate(mib << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-L", "mesatee-data", "-E", "root_owner=990:990", "-d", folder, path], check=True)
    shutil.rmtree(folder)


def make_tpm(folder):
    """A new TPM with an endorsement key that a maker of its own certifies; returns that maker's certificates, the root last."""
    folder.mkdir()
    maker = folder / "maker"
    maker.mkdir()
    (folder / "ca.conf").write_text(f"statedir = {maker}\nsigningkey = {maker}/key.pem\nissuercert = {maker}/certificate.pem\n"
                                    f"certserial = {maker}/serial\n")
    (folder / "setup.conf").write_text(f"create_certs_tool = /usr/bin/swtpm_localca\ncreate_certs_tool_config = {folder}/ca.conf\n"
                                       f"create_certs_tool_options = /etc/swtpm-localca.options\n")
    done = subprocess.run(["swtpm_setup", "--tpm2", "--tpmstate", folder, "--config", folder / "setup.conf", "--create-ek-cert",
                           "--overwrite", "--pcr-banks", "sha256"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Failed("no TPM can be made: " + done.stdout[-500:])
    both = maker / "both.pem"
    both.write_text((maker / "certificate.pem").read_text() + (maker / "swtpm-localca-rootca-cert.pem").read_text())
    return both


class Machine:
    """One machine, by its folder: disk and TPM stay there from boot to boot."""

    def __init__(self, folder, image, data, tpm, memory=MEMORY_MIB, cpus=CPUS):
        self.folder, self.image, self.data, self.tpm = folder, image, data, tpm
        self.memory, self.cpus = memory, cpus
        self.started = []
        self.monitor = None
        folder.mkdir(exist_ok=True)

    def start_tpm(self):
        control = self.folder / "tpm.control"
        control.unlink(missing_ok=True)
        self.started.append(subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.tpm}", "--ctrl", f"type=unixio,path={control}",
             "--flags", "startup-clear", "--log", f"file={self.folder}/tpm.log,level=20,truncate"]))
        for _ in range(200):
            if control.exists():
                return control
            time.sleep(0.05)
        raise Failed("the TPM does not start")

    def start(self):
        """Returns the port at which the node's own is reached."""
        control = self.start_tpm()
        variables, monitor = self.folder / "variables.fd", self.folder / "monitor"
        shutil.copyfile(VARIABLES, variables)
        monitor.unlink(missing_ok=True)
        (self.folder / "serial.log").unlink(missing_ok=True)
        self.started.append(subprocess.Popen([
            "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-machine", "q35", "-cpu", "max", "-smp", str(self.cpus), "-m", str(self.memory),
            "-nodefaults", "-display", "none", "-no-reboot", "-serial", f"file:{self.folder}/serial.log",
            "-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}", "-drive", f"if=pflash,format=raw,file={variables}",
            "-chardev", f"socket,id=tpm,path={control}", "-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-crb,tpmdev=tpm0",
            "-drive", f"if=none,id=boot,format=raw,readonly=on,file={self.image}", "-device", "virtio-blk-pci,drive=boot,bootindex=0",
            "-drive", f"if=none,id=data,format=raw,file={self.data}", "-device", "virtio-blk-pci,drive=data",
            "-netdev", "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-10.0.2.15:7700",
            "-device", "virtio-net-pci,netdev=net,romfile=", "-qmp", f"unix:{monitor},server=on,wait=off"]))
        self.connect(monitor)
        found = re.search(r"HOST_FORWARD\D+\d+\s+127\.0\.0\.1\s+(\d+)", self.ask("human-monitor-command", {"command-line": "info usernet"}))
        return int(found[1])

    def connect(self, path):
        until = time.monotonic() + 30
        while True:
            self.monitor = socket.socket(socket.AF_UNIX)
            try:
                self.monitor.connect(str(path))
                break
            except OSError:
                if time.monotonic() > until or self.started[-1].poll() is not None:
                    raise Failed("the machine does not start") from None
                time.sleep(0.05)
        self.answers = self.monitor.makefile()
        self.answers.readline()
        self.ask("qmp_capabilities")

    def ask(self, command, arguments=None):
        self.monitor.sendall(json.dumps({"execute": command, "arguments": arguments or {}}).encode())
        for line in self.answers:
            answer = json.loads(line)
            if "return" in answer or "error" in answer:
                return answer.get("return")
        raise Failed("the machine is gone")

    def said(self):
        log = self.folder / "serial.log"
        return log.read_text(errors="replace").replace("\r", "") if log.exists() else ""

    def wait_for(self, words, seconds=BOOT_S):
        """Until the console says so; the machine's end is a failure."""
        until = time.monotonic() + seconds
        while words not in self.said():
            if time.monotonic() > until or self.started[-1].poll() is not None:
                raise Failed(f"the machine never said {words}; it said:\n" + self.said()[-2000:])
            time.sleep(0.1)

    def wait_for_end(self, seconds=BOOT_S):
        try:
            self.started[-1].wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed("the machine does not end") from None
        self.kill()

    def press_power(self):
        self.ask("system_powerdown")
        self.wait_for_end()

    def extended(self):
        """[(PCR, digest)] of every TPM2_PCR_Extend that the TPM was sent, by its own log: nobody in the machine is asked."""
        out = []
        for block in re.findall(r"SWTPM_IO_Read: length \d+\n((?:\s+[0-9A-F]{2}.*\n)+)", (self.folder / "tpm.log").read_text()):
            command = bytes.fromhex("".join(block.split()))
            if len(command) < 18 or struct.unpack_from(">I", command, 6)[0] != EXTEND:
                continue
            index, authorisation = struct.unpack_from(">II", command, 10)
            at = 18 + authorisation
            count, at = struct.unpack_from(">I", command, at)[0], at + 4
            for _ in range(count):
                bank = struct.unpack_from(">H", command, at)[0]
                if bank == SHA256:
                    out.append((index, command[at + 2:at + 2 + SIZES[bank]]))
                at += 2 + SIZES[bank]
        return out

    def kill(self):
        """As if power were cut; a no-op once it is off."""
        if self.monitor:
            self.monitor.close()
        for process in reversed(self.started):
            if process.poll() is None:
                process.terminate()
            process.wait()
        self.started = []


def missing():
    """Why there can be no machine here; None if there can."""
    programs = [p for p in ("qemu-system-x86_64", "swtpm", "swtpm_setup", "mkfs.ext4") if not shutil.which(p, path=os.environ["PATH"] + ":/sbin:/usr/sbin")]
    if programs:
        return "there is no " + ", ".join(programs)
    return None if FIRMWARE.exists() else f"there is no {FIRMWARE}"
