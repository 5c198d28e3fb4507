"""Several sites on one server: what each plans with, who may move in, and what is refused and why."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from stackwise import events
from stackwise.catalog import Catalog
from stackwise.errors import ImpossibleError, LockedError, ProvisionError, StackwiseError, UsageError
from stackwise.job import Job, load_job
from stackwise.journal import Journal
from stackwise.plan.model import Plan
from stackwise.provision.sharing import guests
from stackwise.render import count_removals, file_names, render_project
from stackwise.render.documents import plan_document, plan_text
from tests.fakes import FakeCloud, FakePlaybookRun
from tests.unit.test_plan import plan_for
from tests.unit.test_render import SNAPSHOT, rendered
from tests.unit.test_run import job, runner, until_verify

__all__ = ["job"]


def guest_plan(catalog: Catalog, **answers: Any) -> Plan:
    said = {"name": "blog", "access__domain": "blog.test", "hosting__sites": 2, "hosting__share": "shop", **answers}
    return plan_for(catalog, **said)


def test_each_of_two_plans_with_an_equal_part(catalog: Catalog) -> None:
    alone, two = plan_for(catalog), plan_for(catalog, hosting__sites=2)
    assert alone.memory_mb == alone.servers[0].size.memory_mb
    # 90 MiB are the system's, once.
    assert two.memory_mb == 90 + (alone.memory_mb - 90) // 2
    assert sum(share.memory_mb for share in two.memory) <= two.memory_mb
    assert two.variable("postgresql_shared_buffers_mb") < alone.variable("postgresql_shared_buffers_mb")
    assert two.variable("systemd_memory_max_mb") < alone.variable("systemd_memory_max_mb")


def test_more_sites_than_the_memory_has_room_for_are_refused(catalog: Catalog) -> None:
    with pytest.raises(ImpossibleError) as caught:
        plan_for(catalog, hosting__sites=20)
    assert "MiB" in caught.value.message


def test_a_guest_leaves_the_server_as_a_whole_to_its_host(catalog: Catalog) -> None:
    plan = guest_plan(catalog)
    assert plan.is_shared
    assert plan.servers[0].name == "shop-production-1"
    assert plan.plays[0].roles == ("base",)
    assert plan.variable("base_shared") is True
    assert plan.variable("nginx_shared") is True
    assert plan.users == {"blog": "runs the application, no shell"}
    assert plan.cost.amount == 0


def test_a_guest_has_services_of_its_own(catalog: Catalog) -> None:
    host, guest = plan_for(catalog, hosting__sites=2), guest_plan(catalog, name="my-blog")
    data = {unit for unit in guest.services if unit.startswith(("postgresql", "redis"))}
    assert data == {"postgresql@17-my_blog.service", "redis-server@my-blog.service"}
    assert set(host.services) & set(guest.services) == {"nginx.service"}
    assert guest.variable("site_groups") == ["my-blog"]
    text = str(guest.settings)
    assert "/run/postgresql-my-blog" in text
    assert "/run/redis-my-blog/redis-server.sock" in text


def test_the_address_leads_to_the_site_that_made_the_server(catalog: Catalog) -> None:
    assert len(plan_for(catalog, hosting__sites=2).variable("nginx_server_names")) == 2
    assert guest_plan(catalog).variable("nginx_server_names") == ["blog.test"]


def test_the_plan_says_whose_server_it_is(catalog: Catalog) -> None:
    guest, host = guest_plan(catalog), plan_for(catalog, hosting__sites=2)
    assert "the server is that of shop, which pays for it" in plan_text(plan_document(guest, ()))
    assert "the others say: hosting.share: superbook" in plan_text(plan_document(host, ()))
    assert "Shared" not in plan_text(plan_document(plan_for(catalog), ()))


def test_the_web_server_forgets_a_site_before_its_files_go(catalog: Catalog) -> None:
    plan = guest_plan(catalog)
    files = rendered(plan)
    plays = yaml.safe_load(files["remove.yml"])
    roles = [play["tasks"][0]["ansible.builtin.import_role"]["name"] for play in plays]
    assert roles == ["nginx", "tls_internal", "systemd", "site", "redis", "postgresql"]
    assert set(file_names(plan)) == set(render_project(plan, SNAPSHOT, "", {}))
    assert count_removals(plan) > len(roles)


def test_a_site_with_a_server_of_its_own_goes_with_it(catalog: Catalog) -> None:
    assert "remove.yml" not in rendered(plan_for(catalog, hosting__sites=2))


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"hosting__sites": 1}, "plans with all of that server"),
        ({"name": "shop"}, "cannot move in to its own server"),
        ({"name": "main"}, "database cluster of the name main"),
    ],
)
def test_what_makes_no_sense_is_refused(catalog: Catalog, answers: dict[str, Any], words: str) -> None:
    with pytest.raises(ImpossibleError) as caught:
        guest_plan(catalog, **answers)
    assert words in caught.value.message


# What follows runs whole jobs, with the world faked.


@pytest.fixture
def host(job: Job) -> Job:
    """Give a site that keeps half of its server free for another."""
    return told(job, sites=2)


def told(job: Job, name: str = "hello", **hosting: Any) -> Job:
    """Write the answers of a site, and read them."""
    path = job.folder / f"{name}.yml"
    access = {"domain": f"{name}.test", "tls": "none"}
    path.write_text(yaml.safe_dump({"schema": 1, "name": name, "access": access, "hosting": hosting}))
    return load_job(path)


def guest(host: Job, name: str = "guest", **hosting: Any) -> Job:
    return told(host, name, **{"sites": 2, "share": "hello", **hosting})


def refusal(job: Job, cloud: FakeCloud, command: str = "up") -> StackwiseError:
    with pytest.raises(StackwiseError) as caught:
        list(getattr(runner(job, cloud), command)())
    return caught.value


def test_a_guest_makes_no_server_and_is_put_on_the_hosts(host: Job) -> None:
    cloud, ansible = FakeCloud(), FakePlaybookRun()
    until_verify(runner(host, cloud).up())
    seen = until_verify(runner(guest(host), cloud, ansible).up())
    assert len(cloud.orders) == 1
    assert [event.server for event in seen if isinstance(event, events.ServerFound)] == ["hello-production-1"]
    assert guests(host.identity) == ("guest-production",)
    inventory = yaml.safe_load((ansible.asked[0].project / "project" / "inventory" / "hosts.yml").read_text())
    assert inventory["all"]["hosts"]["hello-production-1"] == {"ansible_host": cloud.address}


def test_there_has_to_be_a_server(host: Job) -> None:
    error = refusal(guest(host), FakeCloud())
    assert isinstance(error, ProvisionError)
    assert "hello-production has no server yet" in error.message
    assert not Journal.of(guest(host).identity).entries("shares")
    assert not Journal.of(host.identity).folder.exists()


def test_a_name_that_is_nearly_right_is_named(host: Job) -> None:
    cloud = FakeCloud()
    until_verify(runner(host, cloud).up())
    assert "did you mean hello?" in refusal(guest(host, share="helo"), cloud).hint


def test_the_answers_of_both_have_to_agree(host: Job) -> None:
    cloud = FakeCloud()
    until_verify(runner(host, cloud).up())
    error = refusal(guest(host, size="large"), cloud)
    assert isinstance(error, UsageError)
    assert "hosting.size is large here, and small for hello-production" in error.message
    assert "hosting.size=small" in error.hint


def test_a_full_server_takes_nobody(host: Job) -> None:
    cloud = FakeCloud()
    until_verify(runner(host, cloud).up())
    until_verify(runner(guest(host), cloud).up())
    until_verify(runner(guest(host), cloud).up())
    error = refusal(guest(host, "third"), cloud)
    assert isinstance(error, ImpossibleError)
    assert "hello-production, guest-production" in error.message


def test_one_name_leads_to_one_site(host: Job) -> None:
    cloud = FakeCloud()
    until_verify(runner(host, cloud).up())
    path = guest(host).answers.path
    path.write_text(path.read_text().replace("guest.test", "hello.test"))
    assert "answers to the name hello.test" in refusal(load_job(path), cloud).message


def test_a_server_goes_after_its_guests(host: Job) -> None:
    cloud, ansible = FakeCloud(), FakePlaybookRun()
    until_verify(runner(host, cloud).up())
    until_verify(runner(guest(host), cloud).up())
    assert "guest-production stand on the server" in refusal(host, cloud, "destroy").message
    list(runner(guest(host), cloud, ansible).destroy())
    assert [(playbook.playbook, playbook.again) for playbook in ansible.asked] == [("remove.yml", "stackwise destroy")]
    assert not Journal.of(guest(host).identity).exists
    assert len(cloud.nodes) == 1
    list(runner(host, cloud).destroy())
    assert cloud.nodes == {}


def test_a_guest_of_a_server_that_is_gone_is_forgotten(host: Job) -> None:
    cloud, ansible = FakeCloud(), FakePlaybookRun()
    until_verify(runner(host, cloud).up())
    until_verify(runner(guest(host), cloud).up())
    cloud.nodes.clear()
    list(runner(guest(host), cloud, ansible).destroy())
    assert ansible.asked == []
    assert not Journal.of(guest(host).identity).exists


def test_a_site_that_stands_does_not_move_by_another_answer(host: Job) -> None:
    cloud = FakeCloud()
    until_verify(runner(host, cloud).up())
    until_verify(runner(guest(host), cloud).up())
    error = refusal(told(host, "guest"), cloud)
    assert "stands on the server of hello-production" in error.message
    assert "hosting.share=hello" in error.hint
    assert "has a server of its own" in refusal(told(host, sites=2, share="guest"), cloud).message


def test_the_host_cannot_forget_that_others_stand_there(host: Job) -> None:
    cloud = FakeCloud()
    until_verify(runner(host, cloud).up())
    until_verify(runner(guest(host), cloud).up())
    error = refusal(told(host), cloud)
    assert "hosting.sites says 1" in error.message
    assert "hosting.sites=2" in error.hint


def test_host_and_guest_do_not_run_at_once(host: Job) -> None:
    cloud = FakeCloud()
    until_verify(runner(host, cloud).up())
    with Journal.of(host.identity).locked("up"):
        assert isinstance(refusal(guest(host), cloud), LockedError)


def test_a_guest_that_was_never_put_there_has_no_server(host: Job) -> None:
    cloud = FakeCloud()
    until_verify(runner(host, cloud).up())
    assert "has no server yet" in refusal(guest(host), cloud, "verify").message
