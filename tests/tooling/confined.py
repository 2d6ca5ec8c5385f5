"""Runs a program as a container runtime would: an image as the read-only root, user 65532, no
capability, no way to get one.

confined.py IMAGE PROGRAM ARGUMENT...        exit 77: only root may, and not everywhere
"""
import ctypes
import os
import sys

USER = 65532
CLONE_NEWNS = 0x00020000
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, LAST_CAPABILITY = 24, 38, 40
libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    if getattr(libc, name)(*arguments) != 0:
        error = ctypes.get_errno()
        sys.exit("confined: %s: %s" % (name, os.strerror(error)) if error != 1 else 77)


def mount(source, target, flags):
    call("mount", source.encode(), target.encode(), None, ctypes.c_ulong(flags), None)


def enter(image):
    """The image is /, read-only; /proc and /dev are the host's, as a runtime would give them."""
    call("unshare", CLONE_NEWNS)
    mount("none", "/", MS_REC | MS_PRIVATE)
    mount(image, image, MS_BIND | MS_REC)
    for folder in ("/proc", "/dev"):
        mount(folder, image + folder, MS_BIND | MS_REC)
    mount("none", image, MS_REMOUNT | MS_BIND | MS_RDONLY)
    os.chroot(image)
    os.chdir("/")


def give_up_rights():
    for capability in range(LAST_CAPABILITY + 1):
        call("prctl", PR_CAPBSET_DROP, capability, 0, 0, 0)
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


if os.geteuid() != 0:
    sys.exit(77)
enter(sys.argv[1])
give_up_rights()
os.execv(sys.argv[2], sys.argv[2:])
