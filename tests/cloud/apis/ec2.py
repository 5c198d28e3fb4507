"""Amazon EC2 on loopback: moto answers, in this process; what it leaves out that our adapter stands on is added here.

Added: the signature is checked (by Amazon's own botocore), a client token is honoured, an instance takes its time to
begin and to end, its group cannot go before, types come in pages and only where they are sold, errors have Amazon's
shape. Two corrections of moto 5: the namespace of an answer ends in a slash, and that of an error is none.
"""

from __future__ import annotations

import base64
import itertools
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami
from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS
from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.test import Client

from tests.cloud.apis.server import Answer, Api, Boots, Call, Machine, RefusalError

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
ACCOUNT = "123456789012"
REGIONS = ("eu-central-1", "us-east-1")
_SPENT = "The request uses the same client token as a previous, but terminated instance"
_OTHER = "The client token you have provided is associated with a resource that is not identical"
_FULL = "You have requested more vCPU capacity than your current vCPU limit of 0 allows"
_HELD = "resource {} has a dependent object"
_STATES = {"new": ("pending", 0), "up": ("running", 16), "off": ("stopped", 80)}
# Hundreds of images that nobody asks for here.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
_MOTO = Client(create_backend_app("ec2"))


class Ec2Api(Api):
    """EC2 in two regions, with Debian's and Canonical's images."""

    routes: ClassVar[tuple[tuple[str, str, str], ...]] = ()
    most = 100
    limit = 25

    def __init__(self, boots: Boots | None = None, looks: int = 0, session: str = "") -> None:
        super().__init__(boots, looks)
        self.session = session
        self._tokens: dict[str, tuple[str, frozenset[tuple[str, str]]]] = {}
        self._closing: dict[str, int] = {}
        for region in REGIONS:
            backend = ec2_backends[ACCOUNT][region]
            backend.reset()
            _add_images(backend)

    def named(self, call: Call) -> Call:
        """Every action is a GET of the root, so it is named by what it does."""
        return replace(call, path=f"/{call.query.get('Action', '')}")

    def register(self, name: str, public_key: str) -> None:
        backend = ec2_backends[ACCOUNT][REGIONS[0]]
        backend.import_key_pair(name, public_key.encode(), {})
        self._list_keys()

    def _list_keys(self) -> None:
        known = [key for region in REGIONS for key in ec2_backends[ACCOUNT][region].key_pairs.values()]
        self.keys = {key.key_name: {"name": key.key_name, "public_key": key.public_key} for key in known}

    def is_let_in(self, call: Call) -> bool:
        """Whether the signature is the one that Amazon's own library makes of the same request."""
        said = call.headers.get("Authorization", "")
        found = re.match(
            r"AWS4-HMAC-SHA256 Credential=([\w-]+)/\d+/([\w-]+)/ec2/aws4_request, SignedHeaders=(\S+),", said
        )
        if found is None or found[1] != self.token:
            return False
        return said.endswith(f"Signature={_signature(call, self.token, found[2], found[3].split(';'))}")

    def answer(self, call: Call) -> Answer:
        said = call.headers.get("Authorization", "")
        if not self.is_let_in(call):
            return self.refusal(401, "AWS was not able to validate the provided access credentials", "AuthFailure")
        if call.headers.get("X-Amz-Security-Token", call.headers.get("x-amz-security-token", "")) != self.session:
            return self.refusal(401, "The security token is not valid", "AuthFailure")
        region = said.split("/")[2]
        try:
            with self.lock:
                return self._told(call, region)
        except RefusalError as exc:
            return self.refusal(exc.code, exc.words, exc.kind)

    def refusal(self, code: int, words: str, kind: str = "") -> Answer:
        kind = kind or {401: "AuthFailure", 403: "UnauthorizedOperation", 404: "InvalidInstanceID.NotFound"}.get(
            code, {409: "InvalidKeyPair.Duplicate", 429: "RequestLimitExceeded"}.get(code, "InternalError")
        )
        status = {404: 400, 409: 400, 422: 400, 429: 503}.get(code, code)
        error = f"<Errors><Error><Code>{kind}</Code><Message>{words}</Message></Error></Errors>"
        return _xml(status, f"<Response>{error}<RequestID>ea966190-f9aa-478e-9ede-example</RequestID></Response>")

    def _told(self, call: Call, region: str) -> Answer:
        action = call.query.get("Action", "")
        if action == "RunInstances" and (known := self._known(call, region)):
            return self._ordered(known, call)
        if action == "RunInstances" and len(self.machines) >= self.limit:
            words = "You have requested more vCPU capacity than your current vCPU limit allows"
            raise RefusalError(400, words, "VcpuLimitExceeded")
        if action == "DeleteSecurityGroup":
            self._refuse_held(call.query["GroupId"], region)
        if action == "DescribeInstances":
            self._settle(region)
        before = {one["id"]: one["state"] for one in self._instances(region)} if action == "TerminateInstances" else {}
        answer = self._asked(call)
        self._list_keys()
        if answer.code != 200:
            return answer
        if action == "RunInstances":
            made = self._begun(call, region)
            self._settle(region, looked=False)
            return self._ordered(made, call)
        if action == "TerminateInstances":
            self._shut(before, region)
        if action == "StartInstances":
            for machine in self._named(call):
                self.boots.start(machine)
        return self._cut(answer, call, region)

    def _asked(self, call: Call) -> Answer:
        """Ask moto, and give its answer the names that Amazon's has. What is sold never changes: it is asked once."""
        named = {name: value for name, value in call.query.items() if name not in ("MaxResults", "NextToken")}
        if named["Action"] == "DescribeInstanceTypes":
            return _sold(urlencode(sorted(named.items())), call.headers["Authorization"].split("/")[2])
        headers = {"Authorization": call.headers["Authorization"], "Host": "ec2.amazonaws.com"}
        said = _MOTO.open("/", method=call.method, query_string=urlencode(call.query), headers=headers)
        text = said.text.replace(f'xmlns="{NAMESPACE[:-1]}"', f'xmlns="{NAMESPACE}"')
        if said.status_code != 200:
            text = text.replace(f' xmlns="{NAMESPACE}"', "")
        return _xml(said.status_code, text)

    def _known(self, call: Call, region: str) -> str:
        """Return the instance that an order with this token made, empty where there is none."""
        token, asked = f"{region}/{call.query.get('ClientToken', '')}", frozenset(call.query.items())
        if token not in self._tokens:
            return ""
        made, before = self._tokens[token]
        if made not in self.machines:
            raise RefusalError(400, _SPENT, "IdempotentInstanceTerminated")
        if asked != before:
            raise RefusalError(400, _OTHER, "IdempotentParameterMismatch")
        return made

    def _ordered(self, made: str, call: Call) -> Answer:
        """Return what RunInstances answers about an instance as it is now: one reservation, without a list."""
        query = {"Action": "DescribeInstances", "InstanceId.1": made, "Version": "2016-11-15"}
        answer = self._asked(Call("GET", "/", query, call.headers, None))
        reservation = ET.fromstring(answer.body).find(f"{{{NAMESPACE}}}reservationSet/{{{NAMESPACE}}}item")  # noqa: S314
        assert reservation is not None
        reservation.tag = f"{{{NAMESPACE}}}RunInstancesResponse"
        return _xml(200, ET.tostring(reservation, encoding="unicode", default_namespace=NAMESPACE))

    def _begun(self, call: Call, region: str) -> str:
        """Bill what moto has just made; return its id."""
        query = call.query
        instance = next(one["it"] for one in self._instances(region) if one["id"] not in self.made)
        image = ec2_backends[ACCOUNT][region].amis[query["ImageId"]]
        words = base64.b64decode(query.get("UserData", "")).decode()
        tags = {tag["key"]: tag["value"] for tag in instance.get_tags()}
        machine = Machine(
            instance.id, tags.get("Name", ""), query["InstanceType"], image.name or "", region, words, tags,
            (query.get("KeyName", ""),),
        )  # fmt: skip
        if query.get("ClientToken"):
            self._tokens[f"{region}/{query['ClientToken']}"] = (instance.id, frozenset(query.items()))
        return self.bill(machine).id

    def _shut(self, before: Mapping[str, str], region: str) -> None:
        """Let what is terminated be shut down for a while first."""
        for one in self._instances(region):
            if one["state"] == "terminated" and before.get(one["id"], "terminated") != "terminated":
                one["it"]._state.name, one["it"]._state.code = "shutting-down", 32
                self._closing[one["id"]] = 0
                if machine := self.machines.get(one["id"]):
                    self.remove(machine)

    def _settle(self, region: str, *, looked: bool = True) -> None:
        """Bring moto's instances to where the machines behind them are."""
        for one in self._instances(region):
            instance, state = one["it"], one["it"]._state
            if one["id"] in self._closing:
                self._closing[one["id"]] += 1
                if self._closing[one["id"]] > self.looks:
                    state.name, state.code = "terminated", 48
            machine = self.machines.get(one["id"])
            if machine is None:
                continue
            phase = self.phase(machine) if looked else "new"
            state.name, state.code = _STATES[phase]
            state.name = machine.extra.get("status", state.name)
            instance.nics[0].public_ip = machine.address if phase == "up" else None

    def _refuse_held(self, group: str, region: str) -> None:
        for one in self._instances(region):
            if one["it"]._state.name != "terminated" and group in {held.id for held in one["it"].security_groups}:
                raise RefusalError(400, _HELD.format(group), "DependencyViolation")

    def _named(self, call: Call) -> list[Machine]:
        return [self.machines[value] for key, value in call.query.items() if key.startswith("InstanceId.")]

    def _instances(self, region: str) -> list[dict[str, Any]]:
        found = ec2_backends[ACCOUNT][region].all_instances()
        return [{"id": one.id, "state": one._state.name, "it": one} for one in found]

    def _cut(self, answer: Answer, call: Call, region: str) -> Answer:
        """Return one page of what is sold in a region, where moto answers all, and the regions that are open to us."""
        if call.query["Action"] not in ("DescribeInstanceTypes", "DescribeRegions"):
            return answer
        root = ET.fromstring(answer.body)  # noqa: S314 - moto's own
        found = next(part for part in root if part.tag.endswith(("instanceTypeSet", "regionInfo")))
        if call.query["Action"] == "DescribeRegions":
            found[:] = [item for item in found if item.findtext(f"{{{NAMESPACE}}}regionName") in REGIONS]
            return _xml(200, ET.tostring(root, encoding="unicode", default_namespace=NAMESPACE))
        offered = {offer["InstanceType"] for offer in INSTANCE_TYPE_OFFERINGS["region"][region]}
        items = [item for item in found if item.findtext(f"{{{NAMESPACE}}}instanceType") in offered]
        many, first = min(int(call.query.get("MaxResults", 100)), self.most), int(call.query.get("NextToken", "0"))
        found[:] = items[first : first + many]
        if len(items) > first + many:
            ET.SubElement(root, f"{{{NAMESPACE}}}nextToken").text = str(first + many)
        return _xml(200, ET.tostring(root, encoding="unicode", default_namespace=NAMESPACE))


def _xml(code: int, text: str) -> Answer:
    return Answer(code, text, {"Content-Type": "text/xml;charset=UTF-8"})


@cache
def _sold(query: str, region: str) -> Answer:
    scope = f"AWS4-HMAC-SHA256 Credential=AKIA/20260101/{region}/ec2/aws4_request, SignedHeaders=host, Signature=0"
    said = _MOTO.open("/", query_string=query, headers={"Authorization": scope, "Host": "ec2.amazonaws.com"})
    return _xml(said.status_code, said.text.replace(f'xmlns="{NAMESPACE[:-1]}"', f'xmlns="{NAMESPACE}"'))


def _signature(call: Call, secret: str, region: str, signed: list[str]) -> str:
    """Return the signature that botocore makes of a request, at the time that it was sent."""
    headers = {name: value for name, value in call.headers.items() if name.lower() in signed}
    request = AWSRequest(call.method, "http://localhost/", headers, b"", dict(call.query))
    lower = {name.lower(): value for name, value in call.headers.items()}
    request.context["timestamp"] = lower.get("x-amz-date", "")
    request.context["payload_signing_enabled"] = True
    signer = botocore.auth.SigV4Auth(Credentials(secret, secret), "ec2", region)
    canonical = "\n".join(
        [
            call.method,
            "/",
            signer.canonical_query_string(request),
            "".join(f"{name}:{lower.get(name, '').strip()}\n" for name in signed),
            ";".join(signed),
            lower.get("x-amz-content-sha256", ""),
        ]
    )
    return str(signer.signature(signer.string_to_sign(request, canonical), request))


_NUMBERS = itertools.count(1)


def _add_images(backend: Any) -> None:
    """Add what Debian and Canonical publish: older and newer, both processors, and some that must not be taken."""
    wanted = [
        ("136693071363", "debian-13-{}-20250814-2204", "2025-08-14"),
        ("136693071363", "debian-13-{}-20251117-2299", "2025-11-17"),
        ("136693071363", "debian-13-backports-{}-20251118-2300", "2025-11-18"),
        ("136693071363", "debian-12-{}-20251112-2294", "2025-11-12"),
        ("099720109477", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-{}-server-20251022", "2025-10-22"),
        ("099720109477", "ubuntu-minimal/images/hvm-ssd-gp3/ubuntu-noble-24.04-{}-minimal-20251101", "2025-11-01"),
        ("999999999999", "debian-13-{}-20991231-9999", "2025-11-19"),
    ]
    for (owner, name, day), (short, kind) in itertools.product(wanted, [("amd64", "x86_64"), ("arm64", "arm64")]):
        number = f"ami-{next(_NUMBERS):017x}"
        backend.amis[number] = Ami(
            backend, number, name=name.format(short), owner_id=owner, public=True, architecture=kind,
            virtualization_type="hvm", hypervisor="xen", root_device_type="ebs", root_device_name="/dev/xvda",
            creation_date=datetime.fromisoformat(day).replace(tzinfo=UTC),
        )  # fmt: skip
