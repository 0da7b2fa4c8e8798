#!/usr/bin/env python3
"""hold.py BUILD: nothing leaves a node before it is durable; TAP. By itself, so that it is quick: a mutant needs it."""
import disk
import world as the_world

if __name__ == "__main__":
    the_world.main(disk.test_sync_hangs)
