"""Proof that the workspace is whole, copies of it, and putting one back."""

from pathlib import Path

from creditrisk.commands.terminal import Options, Out, ParserOf, opened, settings_of, user_of


def declare(parser_of: ParserOf) -> None:
    """Add the commands of this room."""
    parser_of("check", _check, "prove that nothing in the workspace was altered or lost")

    add = parser_of("backup", _backup, "copy the workspace, verified, to a new folder within DIR").add_argument
    add("folder", type=Path, metavar="DIR")

    add = parser_of("restore", _restore, "put a backup in the place of the workspace, which is set aside").add_argument
    add("folder", type=Path, metavar="DIR", help="a folder that `backup` made")


def _check(options: Options, out: Out) -> None:
    from creditrisk import integrity

    with opened(options) as store:
        found = integrity.check(store)
    failed = [part["sentence"] for part in found if not part["passed"]]
    for part in found:
        out.result(part, f"  {'passed' if part['passed'] else 'FAILED'}  {part['sentence']}")
    out.refuse(failed if out.as_json else [])
    out.refused = len(failed)
    said = f"{len(failed)} of {len(found)} checks failed." if failed else f"All {len(found)} checks passed."
    out.summary({"checks": len(found), "failed": len(failed), "passed": not failed}, said)


def _backup(options: Options, out: Out) -> None:
    from creditrisk import integrity

    with opened(options) as store:
        made = integrity.backup(store, options.folder, user=user_of(options, store.settings), progress=out.progress)
    n = integrity.verify(made)
    out.summary({"folder": str(made), "files": n}, f"{n:,} files copied to {made}, each with its digest, and verified.")


def _restore(options: Options, out: Out) -> None:
    from creditrisk import integrity

    settings = settings_of(options)
    aside = integrity.restore(settings, options.folder, user=user_of(options, settings))
    replaced = f" What was there before lies in {aside}." if aside else ""
    out.summary(
        {"data": str(settings.data), "models": str(settings.models), "replaced": aside and str(aside)},
        f"{options.folder} is the workspace in {settings.data} now.{replaced}",
    )
