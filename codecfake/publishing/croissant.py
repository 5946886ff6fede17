"""`croissant.json`: the data set in Croissant 1.1, with its fields for responsible AI (RAI 1.0).

https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html
"""

from collections.abc import Mapping
from typing import Any

from codecfake.base import files
from codecfake.publishing import statements
from codecfake.publishing.card_header import Configurations
from codecfake.publishing.output import Output
from codecfake.publishing.publication import Publication
from codecfake.publishing.rows import COLUMNS

NAME = "croissant.json"
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
CONFORMS_TO = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
DATA_TYPES = {
    "key": "sc:Integer", "quantizers": "sc:Integer", "sample_rate": "sc:Integer", "bitrate_kbps": "sc:Float",
    "duration": "sc:Float",
}  # fmt: skip


def write(publication: Publication, configurations: Configurations, output: Output) -> None:
    """Write the description of the parquet files of a publication."""
    output.write_text(NAME, files.as_json(description(publication, configurations)))


def description(publication: Publication, configurations: Configurations) -> dict[str, Any]:
    """The whole document; one file set and one record set for each split of a part."""
    splits = [(f"{part}/{split}", paths) for part, of in configurations.items() for split, paths in of.items()]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": publication.facts.title,
        "description": statements.summary(publication),
        "conformsTo": CONFORMS_TO,
        "version": "1.0.0",
        "license": statements.license_addresses(publication),
        "inLanguage": statements.languages(publication),
        "keywords": statements.KEYWORDS,
        "citeAs": "; ".join(statements.citations(publication)),
        **_responsible(publication),
        "distribution": [_file_set(name, paths) for name, paths in splits],
        "recordSet": [_record_set(name) for name, _ in splits],
    }


def _responsible(publication: Publication) -> Mapping[str, Any]:
    return {
        "rai:dataCollection": statements.collection(publication),
        "rai:dataCollectionType": ["Existing datasets", "Synthetic data"],
        "rai:dataPreprocessingProtocol": [statements.PREPROCESSING],
        "rai:dataAnnotationProtocol": [statements.annotation(publication)],
        "rai:dataUseCases": [statements.INTENDED_USE],
        "rai:dataLimitations": statements.limits(publication),
        "rai:dataBiases": [statements.BIASES],
        "rai:dataSocialImpact": statements.SOCIAL_IMPACT,
        "rai:personalSensitiveInformation": [statements.personal(publication)],
    }


def _file_set(name: str, paths: list[str]) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"files/{name}",
        "name": f"files/{name}",
        "encodingFormat": "application/x-parquet",
        "includes": paths,
    }


def _record_set(name: str) -> dict[str, Any]:
    audio = _field(name, "audio", "the recording, as FLAC", "sc:AudioObject")
    audio["source"]["transform"] = {"jsonPath": "bytes"}
    others = [_field(name, column, text, DATA_TYPES.get(column, "sc:Text")) for column, text in COLUMNS.items()]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "field": [audio, *others]}


def _field(record_set: str, column: str, text: str, data_type: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"{record_set}/{column}",
        "name": column,
        "description": text,
        "dataType": data_type,
        "source": {"fileSet": {"@id": f"files/{record_set}"}, "extract": {"column": column}},
    }
