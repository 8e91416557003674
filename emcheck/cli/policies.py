"""`emcheck policy`: thresholds with their sources, checked, shown, compared."""

import json
from pathlib import Path
from typing import Annotated

import typer

from emcheck.cli.explaining import JsonOption, read_store
from emcheck.cli.serving import ConfigOption, settings_of
from emcheck.cli.showing import show

policy_app = typer.Typer(help="Thresholds with their sources.", no_args_is_help=True)


@policy_app.command("check")
def policy_check(path: Annotated[str, typer.Argument(help="A policy .toml, or the name of a shipped one.")]) -> None:
    """Say whether a policy can be used; exit 2 and one line if not."""
    from emcheck.cli.reading import read_policy

    policy = read_policy(path)
    unsigned = sum(1 for threshold in policy.thresholds.values() if threshold.sign_off)
    typer.echo(f"{path}: good. {policy.label}, {len(policy.thresholds)} thresholds, {unsigned} to be signed off")


@policy_app.command("show")
def policy_show(
    name: Annotated[
        str | None, typer.Argument(help="A shipped policy's name, or a .toml; England & Wales where left out.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Every threshold by rule with its unit, reason and source, and the codes that others give to the rule's alerts."""
    from emcheck.cli.reading import read_policy
    from emcheck.present import policies

    policy = read_policy(name)
    if as_json:
        typer.echo(json.dumps(policies.as_json(policy), indent=1, ensure_ascii=False))
        return
    rows = []
    for rule, thresholds in policies.by_rule(policy).items():
        rows.append((rule, "", policies.codes_in_words(rule), ""))
        rows += [
            (f"  {key}", policies.value_in_words(held), held.reason, held.source) for key, held in thresholds.items()
        ]
    rows += [(f"escalation.{name}", policies.tree_in_words(tree), "", "") for name, tree in policy.trees.items()]
    show(("rule, threshold", "value", "codes, reason", "source"), rows, title=policy.label)


@policy_app.command("publish")
def policy_publish(
    name: Annotated[str, typer.Argument(help="A policy .toml, or the name of a shipped one.", metavar="POLICY")],
    by: Annotated[str, typer.Option(help="Who publishes it.")],
    config: ConfigOption = None,
    retroactive: Annotated[
        str | None, typer.Option(help="Why what was judged already is judged again, where it begins in the past.")
    ] = None,
    wait_s: Annotated[float, typer.Option("--wait", help="How many seconds to wait for the service.", min=0)] = 10.0,
) -> None:
    """Publish a version of a policy: it judges from its effective time on, and never changes."""
    from emcheck.cli.instructing import carry_out
    from emcheck.cli.reading import bad_input, policy_file, read_policy
    from emcheck.clock import SystemClock
    from emcheck.domain.policy import PolicyError
    from emcheck.service.enrolment import policies_in_force
    from emcheck.service.reaching import UnreachableError, contacts_of

    policy, path = read_policy(name), policy_file(name)
    known = read_store(config, policies_in_force)
    try:
        if known is not None and not known.check(policy, SystemClock().now(), retroactive=retroactive is not None):
            typer.echo(f"{path}: {policy.label} is published already; sha256 {policy.sha256}")
            return
        if known is None or known.own.name == policy.name:
            contacts_of(settings_of(config), policy, name=str(path))
    except UnreachableError as error:
        bad_input(error)
    except PolicyError as error:
        bad_input(f"{path}: {error}")
    said = {"type": "policy", "policy": policy.body, "by": by}
    said |= {} if retroactive is None else {"retroactive": retroactive}
    carry_out(said, name=str(path), config=config, wait_s=wait_s)


@policy_app.command("list")
def policy_list(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Every version that is published: which is in force, since when, and what comes next."""
    from emcheck.clock import SystemClock
    from emcheck.present import policies
    from emcheck.service.enrolment import published

    known = read_store(config, published)
    rows = policies.published(known, SystemClock().now())
    if as_json:
        typer.echo(json.dumps({"policies": rows}, indent=1, ensure_ascii=False))
    elif not rows:
        typer.echo("No policy is published yet; the service publishes its own at its first start.")
    else:
        columns = ("policy", "state", "from", "until", "published", "sha256")
        show(columns, [tuple(policies.in_words(row)) for row in rows])


@policy_app.command("diff")
def policy_diff(
    before: Annotated[str, typer.Argument(help="A policy .toml, or the name of a shipped one.")],
    after: Annotated[str, typer.Argument(help="Another one.")],
    stream: Annotated[
        str | None, typer.Option(help="Judge this stream under both: what would have been found otherwise.")
    ] = None,
    register: Annotated[Path | None, typer.Option(help="The register that the stream is judged by.")] = None,
    others: Annotated[
        list[str] | None, typer.Option("--policy", help="Another policy that orders of the register name; repeatable.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Which thresholds differ, and what a recorded month would have been under the other. Exit 1 if anything does."""
    from emcheck.cli.comparing import judged_twice, names_of, print_differences
    from emcheck.cli.reading import bad_input, policy_file, read_policy, read_register
    from emcheck.present import comparing

    if (stream is None) is not (register is None):
        bad_input("--stream and --register go together: a stream is judged by a register")
    policies = read_policy(before), read_policy(after)
    differing = comparing.thresholds(*policies)
    beside = [read_policy(named) for named in others or ()]
    known = None if register is None else read_register(register)
    found = [] if stream is None or known is None else judged_twice(stream, known, policies, beside)
    names = names_of(policies, (policy_file(before), policy_file(after)))
    print_differences(names, differing, found, judged=stream is not None, as_json=as_json)
    if differing or found:
        raise typer.Exit(1)
