"""`emcheck policy`: thresholds with their sources, checked, shown, compared."""

import json
from pathlib import Path
from typing import Annotated

import typer

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
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
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


@policy_app.command("diff")
def policy_diff(
    before: Annotated[str, typer.Argument(help="A policy .toml, or the name of a shipped one.")],
    after: Annotated[str, typer.Argument(help="Another one.")],
    stream: Annotated[
        str | None, typer.Option(help="Judge this stream under both: what would have been found otherwise.")
    ] = None,
    register: Annotated[Path | None, typer.Option(help="The register that the stream is judged by.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Which thresholds differ, and what a recorded month would have been under the other. Exit 1 if anything does."""
    from emcheck.cli.comparing import judged_twice, names_of, print_differences
    from emcheck.cli.reading import bad_input, policy_file, read_policy, read_register
    from emcheck.present import comparing

    if (stream is None) is not (register is None):
        bad_input("--stream and --register go together: a stream is judged by a register")
    policies = read_policy(before), read_policy(after)
    differing = comparing.thresholds(*policies)
    found = [] if stream is None or register is None else judged_twice(stream, read_register(register), policies)
    names = names_of(policies, (policy_file(before), policy_file(after)))
    print_differences(names, differing, found, judged=stream is not None, as_json=as_json)
    if differing or found:
        raise typer.Exit(1)
