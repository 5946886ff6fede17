"""The forms of score files and protocols: which column holds what.

What stands in the columns decides (`recognition`). The lists here name the forms that the field uses, and decide
between columns that could equally be the names of trials, such as speakers of one utterance each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from codecfake.verification.exclusions import Exclusion, of_ctrsvdd
from codecfake.verification.words import digit, is_bonafide

ID_COLUMNS = (
    "trial_id", "utterance_id", "utterance", "utt_id", "utt", "trial", "trial_anon", "filename", "file_name", "file",
    "id", "path", "file_path", "audio_path", "name", "audio",
)  # fmt: skip
KEY_COLUMNS = (
    "key", "label", "cm-label", "cm_label", "labels", "class", "target", "ground_truth", "asv-label", "asv_label",
)  # fmt: skip
CLAIM_COLUMNS = {"asv-label", "asv_label", "asv-score", "sasv-score"}  # whose trials have a claimed speaker
SCORE_COLUMNS = ("score", "cm_score", "cm-score", "scores")
DIGIT_OF_COLUMN = {  # names that tell which digit means bona fide
    "bonafide": "1", "bona_fide": "1", "bona-fide": "1", "is_bonafide": "1", "real": "1", "is_real": "1",
    "genuine": "1", "is_genuine": "1", "spoof": "0", "is_spoof": "0", "spoofed": "0", "is_spoofed": "0", "fake": "0",
    "is_fake": "0", "deepfake": "0", "is_deepfake": "0",
}  # fmt: skip
MLAAD = {"path", "original_file", "model_name", "architecture", "transcript"}  # its meta.csv lists fakes alone
SPOOFCELEB = ["file", "speaker", "attack"]
ANTIDEEPFAKE = ["id", "score", "label"]  # of its scores: two logits in a cell, fake and real; label 1 is real
BONAFIDE_OF_ANTIDEEPFAKE = 1  # the class index of bona fide speech


@dataclass(frozen=True)
class Labels:
    """How a form writes the two keys."""

    bonafide_digit: str | None = None  # the digit that means bona fide, where labels are 0 and 1
    digit_is_of_form: bool = False  # whether the form says so, and not the user
    bonafide_attack: str | None = None  # the attack that means bona fide; any other is a spoof
    all_spoof: bool = False

    def is_bonafide(self, cell: str) -> bool | None:
        """Whether a cell means bona fide; None if it is not a label."""
        if self.all_spoof:
            return False
        if self.bonafide_attack is not None:
            return cell == self.bonafide_attack if cell[:1] == "a" and cell[1:].isdigit() else None
        return is_bonafide(cell, self.bonafide_digit)

    def are_unclear(self, words: Sequence[str]) -> bool:
        """Whether some of these labels are digits of unknown meaning."""
        plain = self.bonafide_digit is None and self.bonafide_attack is None and not self.all_spoof
        return plain and any(digit(word) is not None for word in words)


def digits_of_form(bonafide_digit: str | None, of_user: str | None) -> Labels:
    """Labels of a form that tells the meaning of digits, unless the user says it."""
    return Labels(of_user or bonafide_digit, digit_is_of_form=of_user is None and bonafide_digit is not None)


@dataclass(frozen=True)
class Form:
    """The columns of a line, counted from 0; None if a column is missing."""

    name: str
    width: int
    trial: int
    key: int | None
    score: int | None
    phase: int | None = None
    trim: int | None = None  # which tells the hidden tracks of PA apart
    leaves_out: Exclusion | None = None  # in place of phases
    bonafide_logit: int | None = None  # of a score that is a cell with two logits: which is of bona fide speech


SCORE_FORMS = (
    Form("published: file score label", 3, 0, 2, 1),
    Form("ASVspoof: utterance source key score", 4, 0, 2, 3),
    Form("ASVspoof: utterance - attack key score", 5, 0, 3, 4),
    Form("ASVspoof 5: speaker utterance score key", 4, 1, 3, 2),
    Form("utterance key score", 3, 0, 1, 2),
    Form("utterance score, without keys", 2, 0, None, 1),
)
LOGITS_FORM = Form("AntiDeepfake: ID, Score (two logits), Label", 3, 0, 2, 1)
LOGITS_FORM_WITHOUT_KEYS = Form("AntiDeepfake: ID, Score (two logits)", 2, 0, None, 1)
LOG_FORM = Form("project-NN-Pytorch-scripts: Output, name, label, score", 4, 1, 2, 3)
PROTOCOL_FORMS = (
    Form("published: file label", 2, 0, 1, None),
    Form("published: file label tag", 3, 0, 1, None),
    Form("ASVspoof 2019, track 2 of ASVspoof 5: speaker utterance … attack key", 5, 1, 4, None),
    Form("ASVspoof 2021: speaker utterance … key …", 8, 1, 5, None, 7),
    Form("ASVspoof 2021 DF: speaker utterance … key …", 13, 1, 5, None, 7),
    Form("ASVspoof 2021 PA: speaker utterance … key …", 12, 1, 9, None, 11, 10),
    Form("ASVspoof 5: speaker utterance … key -", 10, 1, 8, None),
    Form("CodecFake+ CoRS: speaker file key", 3, 1, 2, None),
    Form("speaker utterance … key", 6, 1, 5, None),  # CodecFake+ CoSG, first phase of ASVspoof 5
    Form("CtrSVDD: source - utterance - attack key", 6, 2, 5, None, leaves_out=of_ctrsvdd),
)


@dataclass(frozen=True)
class Recognized:
    form: Form
    delimiter: str  # one of `cells.DELIMITERS`
    has_header: bool
    labels: Labels = Labels()
    has_claims: bool = False  # whether columns tell that trials have a claimed speaker

    def __str__(self) -> str:
        logit = self.form.bonafide_logit
        order = "" if logit is None else f"; the {('first', 'second')[logit]} logit is of bona fide speech"
        return f"{self.form.name} ({self.delimiter}, {'a' if self.has_header else 'no'} header{order})"
