"""What leaves the workspace of a model, and comes in: its card, and the model itself as a bundle."""

from pathlib import Path

from creditrisk.commands.terminal import Options, Out, ParserOf, opened, target_of, user_of


def declare(parser_of: ParserOf) -> None:
    """Add the commands of this room."""
    add = parser_of("card", _card, "a model's card: data, labels, figures, groups, limits, lineage").add_argument
    add("model", metavar="MODEL", help="a model's id, `champion` or `best`")
    add("--out", type=Path, metavar="FILE", help="write it to a .pdf, .md or .json (else it is printed)")

    add = parser_of("export-model", _export_model, "write a model to a file that another workspace imports").add_argument
    add("model", metavar="MODEL", help="a model's id, `champion` or `best`")
    add("file", type=Path, metavar="FILE.zip", help="where to; it holds the ids of the applicants learned from and tested on")

    add = parser_of("import-model", _import_model, "register the model of such a file as a candidate").add_argument
    add("file", type=Path, metavar="FILE.zip")
    add("--reason", required=True, metavar="TEXT", help="why; kept for ever")
    add("--sha256", metavar="HEX", help="the digest `export-model` printed, as you were told it: another file is refused")


def _card(options: Options, out: Out) -> None:
    from creditrisk import card as cards
    from creditrisk import registry, standing
    from creditrisk.store import to_json

    target_of(options.out, ".pdf", ".md", ".json")
    with opened(options) as store:
        card = registry.card(store, standing.meant(store, options.model))
    markdown = card["markdown"]
    if options.out is None:
        out.result(card, markdown)
        return
    kind = options.out.suffix.lower()
    options.out.write_bytes(cards.pdf(markdown) if kind == ".pdf" else (markdown if kind == ".md" else to_json(card)).encode())
    out.summary({"model_id": card["model_id"], "file": str(options.out)}, f"The card of {card['model_id']} is in {options.out}.")


def _export_model(options: Options, out: Out) -> None:
    from creditrisk import bundle, standing

    target_of(options.file, ".zip")
    with opened(options) as store:
        model_id = standing.meant(store, options.model)
        digest = bundle.export(store, model_id, options.file, user=user_of(options, store.settings))
    said = f"{model_id} is in {options.file}. Tell whoever imports it its SHA-256, by another way: {digest}"
    out.summary({"model_id": model_id, "file": str(options.file), "sha256": digest}, said)


def _import_model(options: Options, out: Out) -> None:
    from creditrisk import bundle, registry, standing

    with opened(options) as store:
        user = user_of(options, store.settings)
        model_id = bundle.receive(store, options.file, user=user, reason=options.reason, sha256=options.sha256)
        made = registry.get(store, model_id)
        banner = registry.card(store, model_id).get("banner")
        out.result({**standing.to_json(made, "models"), "banner": banner, "origin": made["status_reason"]})
    said = f"{model_id} is a candidate ({made['status_reason']}). Nothing scores with it until somebody promotes it."
    out.summary({"model_id": model_id, "banner": banner}, f"{said} {banner}" if banner else said)
