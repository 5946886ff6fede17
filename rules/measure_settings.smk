# What the rules from training to the report read, and their settings. No rules.
from dataclasses import asdict
from itertools import product

from codecfake.experiment import quality_choice
from codecfake.protocols.lists import RECORDINGS
from codecfake.tables.published import Published
from codecfake.tables.figures import KINDS, drawable

PUBLISHED = installation.published()  # the papers' own numbers


# training


def partitions(split, wildcards):
    domains = EXPERIMENT.training_sets[wildcards.training_set].domains
    return [f"results/protocols/{domain}/{split}.tsv" for domain in domains]


def training_audio(wildcards):
    domains = EXPERIMENT.training_sets[wildcards.training_set].domains
    return shards_of(pair for domain in domains for pair in EXPERIMENT.audio_of_domain(domain))


def training_settings(wildcards):
    return as_json(
        EXPERIMENT.train_settings(
            wildcards.detector,
            wildcards.training_set,
            wildcards.strategy,
            int(wildcards.seed),
        )
    )


# quality


def quality_protocols():
    return [f"results/protocols/eval/{condition}.tsv" for condition in quality_choice.conditions(EXPERIMENT)]


def quality_sources():
    return quality_choice.sources(EXPERIMENT)


def quality_audio(wildcards):
    return shards_of(product(quality_choice.corpora(EXPERIMENT, wildcards.source), (RECORDINGS, wildcards.source)))


def quality_settings(wildcards):
    return as_json(
        {
            "source": wildcards.source,
            "corpora": quality_choice.corpora(EXPERIMENT, wildcards.source),
            "utterances": EXPERIMENT.quality.utterances,
            "seed": EXPERIMENT.seed,
        }
    )


# tables


def paper_tables():
    """The papers' tables that this experiment has cells of."""
    published = Published(PUBLISHED)
    rates = published.matching(EXPERIMENT.model_names(), EXPERIMENT.conditions)
    return [*rates, *published.counts_of(EXPERIMENT.title)]


def paper_captions():
    """Each of them as the paper calls it."""
    published = Published(PUBLISHED)
    counted = published.counts_of(EXPERIMENT.title)
    tables = [published.counts(name) if name in counted else published.rates(name) for name in paper_tables()]
    return {table.name: f"{table.paper}, {table.place}: {table.caption}" for table in tables}


def paper_figures():
    return drawable(EXPERIMENT.model_names(), EXPERIMENT.conditions, paper_tables())


def drawn_histories():
    """What training wrote down, where a figure shows it."""
    models = EXPERIMENT.model_names() if "xie2025_figure6" in paper_figures() else []
    return [f"results/models/{model}/history.tsv" for model in models]


def counted_protocols():
    """Protocols of training, where a table counts their trials."""
    domains = EXPERIMENT.domains if Published(PUBLISHED).counts_of(EXPERIMENT.title) else []
    return [f"results/protocols/{domain}/{split}.tsv" for domain, split in product(domains, ("train", "dev"))]


def published_files():
    return [str(path) for path in sorted(PUBLISHED.iterdir())]


def table_files():
    names = [f"{name}.csv" for name in ("eer", "confusion", "metrics", "eer_seeds", "comparisons")]
    names += [f"{name}.{kind}" for name in paper_tables() for kind in ("csv", "tex", "html")]
    names += [f"figures/{name}.{kind}" for name in paper_figures() for kind in KINDS]
    return [f"results/tables/{name}" for name in names]


def table_settings():
    return as_json(
        {
            "models": EXPERIMENT.model_names(),
            "conditions": list(EXPERIMENT.conditions),
            "title": EXPERIMENT.title,
            "papers": paper_tables(),
            "figures": paper_figures(),
        }
    )


# audit


AUDIT_TABLES = ("overlap", "duplicates", "twins", "counts", "shortcuts")


def audit_corpora():
    """Corpora that are trained on or judged."""
    return list(dict.fromkeys(corpus for corpus, _ in EXPERIMENT.all_audio()))


def audit_codec_training():
    """Corpora that codecs of this run are trained on."""
    trained = any(EXPERIMENT.is_trained(codec) for codec in EXPERIMENT.codecs_run())
    return EXPERIMENT.codec_training.corpora if trained else []


def audit_condition(condition):
    sides = {"bonafide": condition.bonafide, "spoof": condition.spoof}
    return {
        "domains": list(dict.fromkeys(side.domain for side in sides.values() if side.domain is not None)),
        "all_of": [key for key, side in sides.items() if side.utterances == "all"],
    }


def audit_settings():
    wrappers = {source: codec.wrapper for codec in EXPERIMENT.codecs.values() for source in codec.generated()}
    return as_json(
        {
            "domains": {name: {"split_by": domain.split.by} for name, domain in EXPERIMENT.domains.items()},
            "conditions": {name: audit_condition(item) for name, item in EXPERIMENT.conditions.items()},
            "training_sets": {name: item.domains for name, item in EXPERIMENT.training_sets.items()},
            "corpora": audit_corpora(),
            "codec_training": audit_codec_training(),
            "aliases": EXPERIMENT.aliases(),
            "controls": [source for source, wrapper in wrappers.items() if wrapper == "passthrough"],
            "limits": asdict(EXPERIMENT.audit),
            "seed": EXPERIMENT.seed,
        }
    )


def drawn_sources():
    """Corpus -> recordings and the codecs' sources of the first condition's recordings, an utterance of which is drawn."""
    drawn = EXPERIMENT.corpora_of(next(iter(EXPERIMENT.conditions.values())).bonafide)
    return {corpus: sources for corpus, sources in EXPERIMENT.sources_by_corpus().items() if corpus in drawn}


def drawn_audio():
    return [(corpus, source) for corpus, sources in drawn_sources().items() for source in sources]


def spectrogram_files():
    return [f"results/tables/figures/xie2025_figure2.{kind}" for kind in KINDS]


def scores_alone():
    """Whether score files were brought here without the audio that they are of."""
    return Path("results/scores").is_dir() and not Path("results/audio").is_dir()


def spectrogram_settings():
    return as_json({"sources": drawn_sources()})


# the report


def report_settings():
    """What the page shows, and in which order; the command reads the rest from results/."""
    codecs = EXPERIMENT.codecs.items()
    return as_json(
        {
            "title": EXPERIMENT.title,
            "description": EXPERIMENT.description,
            "notes": EXPERIMENT.notes,
            "models": EXPERIMENT.model_names(),
            "conditions": list(EXPERIMENT.conditions),
            "averages": EXPERIMENT.averages_run(),
            "training_protocols": {
                name: [f"{domain}/train" for domain in training_set.domains]
                for name, training_set in EXPERIMENT.training_sets.items()
            },
            "corpora": list(EXPERIMENT.corpora),
            "protocols": [f"{domain}/{split}" for domain, split in product(EXPERIMENT.domains, ("train", "dev"))]
            + [f"eval/{condition}" for condition in EXPERIMENT.conditions],
            "sources": EXPERIMENT.sources_by_corpus(),
            "trained_codecs": {
                source: name for name, codec in codecs if codec.weights == "trained" for source in codec.sources
            },
            "printed_kbps": {
                source: what.printed_kbps
                for _, codec in codecs
                for source, what in codec.sources.items()
                if what.printed_kbps is not None
            },
            "aliases": EXPERIMENT.aliases(),
            "quality": quality_sources(),
            "papers": paper_captions(),
            "audit": True,
            "not_run": EXPERIMENT.not_run,
            "experiment": SITE.experiment_as_written,
        }
    )
