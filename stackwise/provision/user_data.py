"""What a new server is told at its first boot, as cloud-init reads it: an administrator's key and our host key."""

from __future__ import annotations

import json
from pathlib import Path

from stackwise.provision.keys import KeyPair


def user_data(admin_user: str, admin: KeyPair, host: KeyPair) -> str:
    """Return the user-data. JSON is YAML, so every string is quoted right whatever is in it.

    The host's private key stands in here and can be read on the server and at the provider later, so it is rotated
    after the first login.
    https://docs.cloud-init.io/en/latest/reference/modules.html
    """
    wishes = {
        "users": [
            {
                "name": admin_user,
                "lock_passwd": True,
                "shell": "/bin/bash",
                "sudo": "ALL=(ALL) NOPASSWD:ALL",
                "ssh_authorized_keys": [admin.public],
            }
        ],
        "disable_root": True,
        "ssh_pwauth": False,
        "ssh_deletekeys": True,
        "ssh_keys": {"ed25519_private": Path(host.private).read_text(), "ed25519_public": host.public},
        "package_update": False,
        "package_upgrade": False,
    }
    return "#cloud-config\n" + json.dumps(wishes, indent=1) + "\n"
