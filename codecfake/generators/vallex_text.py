"""Text to ids as in VALL-E X (Plachtaa): phonemes in IPA, each character a token."""

from codecfake.generators import english_ipa, mandarin_ipa

UNKNOWN = 0
# in the order of ids; those before are special: [UNK] [CLS] [SEP] [PAD] [MASK]
SYMBOLS = "!#*,-.=?NQ^_`abdefghijklmnopstuvwxyz~æçðŋɑɔəɛɥɪɫɯɸɹɾʃʊʑʒʰˈˌθ…⁼↑→↓"
IDS = {symbol: id_ for id_, symbol in enumerate(SYMBOLS, 5)}
ENDINGS = ".,!?-…~"
FRONT_ENDS = {"en": english_ipa.ipa, "zh": mandarin_ipa.ipa}
EMBEDDINGS = {"en": 0, "zh": 1}  # rows of the tables of languages; row 1 of files is another language


def phonemes(text: str, language: str) -> str:
    """IPA that ends in a mark. Raises the errors of the language's front-end."""
    sounds = FRONT_ENDS[language](text)
    return sounds if sounds.endswith(tuple(ENDINGS)) else sounds + "."


def ids(text: str, language: str) -> list[int]:
    """One id per character; characters outside the model's list, such as `c`, have the id of unknown ones."""
    return [IDS.get(symbol, UNKNOWN) for symbol in phonemes(text, language).replace(" ", "_")]
