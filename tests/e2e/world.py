"""A node, its keys and its clients, for tests that stop, kill, starve and mend it. Everything lies in one folder."""
import fcntl
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

IS_ROOT = os.geteuid() == 0
PATIENCE_S = 60  # with what is sure to come, on whatever machine; nobody waits so long but for a failure
TASK = {
    "function": {"name": "echo", "version": 1},
    "arguments": {},
    "inputs": [{"name": "in", "data": "base"}],
    "outputs": [{"name": "out", "receivers": ["alice"]}],
    "runs": 100000,
}


class Failed(Exception):
    pass


def until(holds, patience_s=PATIENCE_S):
    """Looks again and again until it holds; what it was in the end."""
    end = time.monotonic() + patience_s
    while not (found := holds()) and time.monotonic() < end:
        time.sleep(0.004)
    return found


def is_sanitized(program):
    """Whether AddressSanitizer is in it, which keeps what was freed for a while, and other libraries out."""
    return b"libasan" in program.read_bytes()


class Bail(Exception):
    """One sentence did not hold, and whoever runs the test wants to know no more."""


class Tap:
    """Sentences that hold or do not; `done` says how many there were. With TAP_BAIL set, the first that does not is the last."""

    def __init__(self):
        self.count, self.failures = 0, 0

    def ok(self, holds, sentence, detail=""):
        self.count += 1
        self.failures += not holds
        print(f"{'ok' if holds else 'not ok'} {self.count} - {sentence}", flush=True)
        if not holds:
            print("".join(f"# {line}\n" for line in str(detail).splitlines()[-15:]), end="", flush=True)
            if os.environ.get("TAP_BAIL"):
                raise Bail
        return holds

    def skip(self, sentence, why):
        self.count += 1
        print(f"ok {self.count} - {sentence} # SKIP {why}", flush=True)

    def done(self):
        print(f"1..{self.count}")
        return 1 if self.failures else 0


class World:
    def __init__(self, build, seed=1, where=None):
        self.build, self.random = pathlib.Path(build).resolve(), random.Random(seed)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="mesatee-e2e-", dir=where))
        self.dir.chmod(0o711)
        self.keyfile, self.log = self.dir / "keyfile", self.dir / "log"
        self.keyfile.write_bytes(os.urandom(32))
        self.nodes = []
        self.said = []  # everything that any program of ours printed

    def close(self):
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self.dir, ignore_errors=True)

    def cli(self, who, *words, check=True, timeout=PATIENCE_S, env=None):
        done = subprocess.run([self.build / "mesatee", "--home", self.dir / who, *map(str, words)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, env=env)
        self.said.append(done.stdout + done.stderr)
        if check and done.returncode != 0:
            raise Failed(f"{who}: {' '.join(map(str, words))}: {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def json(self, who, *words):
        return json.loads(self.cli(who, "--json", *words).stdout)

    def ask(self, who, method, target, body=None):
        """One request as it is written, which our own command might not send: the status and the answer."""
        words = [] if body is None else [json.dumps(body)]
        done = subprocess.run([self.build / "tests/ask", self.dir / who, method, target, *words], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE_S)
        self.said.append(done.stdout + done.stderr)
        if done.returncode != 0:
            raise Failed(f"{who}: {method} {target}: {done.stderr}")
        status, _, answer = done.stdout.partition("\n")
        return int(status), json.loads(answer)

    def identity(self, who):
        self.cli(who, "identity", "new", who)
        return self.json(who, "identity", "show", who)


class Node:
    """One state directory, and the process that serves it when it runs."""

    def __init__(self, world, name="node", state=None, administrator="admin", **settings):
        self.world, self.name, self.process = world, name, None
        self.arguments = []  # beside the configuration
        self.state = pathlib.Path(state or world.dir / f"{name}.state")
        self.conf = world.dir / f"{name}.conf"
        self.log = world.dir / f"{name}.log"
        all_settings = {"listen": "127.0.0.1:0", "state": self.state, "keyfile": world.keyfile, "user": "nobody"}
        if administrator is not None:
            if not (world.dir / administrator / "identities").is_dir():
                world.identity(administrator)
            all_settings["administrator"] = world.json(administrator, "identity", "show", administrator)["subject"]
        all_settings.update(settings)
        self.conf.write_text("".join(f"{k} = {v}\n" for k, v in all_settings.items()))
        world.nodes.append(self)

    def spawn(self, *prefix, env=None):
        """Starts it, perhaps below another program, and does not wait."""
        (self.state / "public.json").unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*prefix, self.world.build / "mesateed", "--config", self.conf, *self.arguments],
                                            stdout=log, stderr=log, start_new_session=True, env=env)

    def is_up_or_down(self):
        """The last thing that a start does is to write this file."""
        return self.process.poll() is not None or (self.state / "public.json").exists()

    def start(self, *prefix, env=None):
        self.spawn(*prefix, env=env)
        if not until(self.is_up_or_down):
            raise Failed(f"the node is not ready: {self.last_words()}")
        if self.process.poll() is not None:
            status, self.process = self.process.returncode, None
            raise Failed(f"the node ended with {status}: {self.last_words()}")
        self.public = json.loads((self.state / "public.json").read_text())
        self.readdress()
        return self

    def last_words(self, count=3):
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return "\n".join(lines[-count:])

    def run_to_end(self):
        """A start that must fail: the exit status, None if the node serves, and what it wrote."""
        before = self.log.stat().st_size if self.log.exists() else 0
        self.spawn()
        until(self.is_up_or_down)
        status = self.process.poll()
        if status is None:
            self.kill()
        self.process = None
        return status, self.log.read_text()[before:]

    def signal_all(self, number):
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def kill(self):
        if self.process is not None:
            self.signal_all(signal.SIGKILL)
            self.process.wait()
            self.process = None
            self.wait_for_lock()

    def wait_for_lock(self):
        """What ran below another program may outlive it for a moment."""
        def is_free():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except OSError:
                return False

        try:
            with open(self.state / "lock", "rb") as lock:
                until(is_free)
        except OSError:
            pass  # it never came so far

    def stop(self):
        self.process.terminate()
        status = self.process.wait(PATIENCE_S)
        self.process = None
        return status

    def readdress(self):
        """A node has another port at each start: its clients' contexts are told."""
        for context in self.world.dir.glob(f"*/contexts/{self.name}.json"):
            try:
                known = json.loads(context.read_text())
            except ValueError:
                continue
            known["address"] = f"127.0.0.1:{self.public['port']}"
            context.write_text(json.dumps(known, separators=(",", ":")))

    def introduce(self, who):
        """A key that nobody has made known gets a context: who is no user is not told the cluster's id."""
        w, path = self.world, self.world.dir / f"{who}.{self.name}.policy"
        w.cli(who, "policy", "new", path, "--identity", who, "--name", self.name, "--platform", self.public["platform"],
              "--measurement", self.public["measurement"])
        w.cli(who, "context", "add", self.name, "--address", f"127.0.0.1:{self.public['port']}", "--identity", who,
              "--policy", path, "--cluster", self.public["cluster_id"])

    def join(self, *people, policy=None):
        """Each verifies the node and keeps it as a context of this name."""
        w = self.world
        for who in people:
            path = policy or w.dir / f"{who}.{self.name}.policy"
            if not pathlib.Path(path).exists():
                w.cli(who, "policy", "new", path, "--identity", who, "--name", self.name, "--platform",
                      self.public["platform"], "--measurement", self.public["measurement"])
            w.cli(who, "context", "add", self.name, "--address", f"127.0.0.1:{self.public['port']}", "--identity", who,
                  "--policy", path)
            w.cli(who, "context", "use", self.name)

    def welcome(self, *people):
        """The administrator makes them known, and they join."""
        for who in people:
            self.world.cli("admin", "user", "add", who, self.world.identity(who)["public_key"])
        self.join(*people)

    def own(self):
        """After root touched the disk: it is the node's again."""
        if IS_ROOT:
            subprocess.run(["chown", "-R", "nobody", self.state], check=True)

    def files(self, pattern="**/*"):
        return sorted(p for p in self.state.glob(pattern) if p.is_file() and p.name not in ("lock", "public.json"))


def run_to_its_end(run, world, tap):
    try:
        run(world, tap)
    except (Failed, subprocess.TimeoutExpired) as e:
        tap.ok(False, "the test could go on", e)


def main(run):
    """run(world, tap) with the build folder that the command line names."""
    world, tap = World(sys.argv[1]), Tap()
    try:
        run_to_its_end(run, world, tap)
    except Bail:
        print("Bail out!")
    finally:
        world.close()
    sys.exit(tap.done())
