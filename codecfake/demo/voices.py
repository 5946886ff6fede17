"""The demo's speakers: each is a voice of eSpeak NG, and two corpora of one language share no voice."""

from dataclasses import dataclass

from codecfake.demo.espeak import Manner


@dataclass(frozen=True)
class Voice:
    """A speaker of the demo."""

    speaker_id: str
    gender: str  # "F" or "M"
    manner: Manner

    @property
    def accent(self) -> str:
        """The accent of an English voice, from its language code."""
        return ACCENTS[self.manner.voice.partition("+")[0]]


ACCENTS = {
    "en": "British",
    "en-029": "Caribbean",
    "en-gb-scotland": "Scottish",
    "en-gb-x-gbclan": "Lancaster",
    "en-gb-x-gbcwmd": "WestMidlands",
    "en-gb-x-rp": "RP",
    "en-us": "American",
    "en-us-nyc": "NewYork",
}

# p315 is left out: the real VCTK has no transcripts of p315, and readers of the corpus may rely on that
ENGLISH = (
    Voice("p301", "F", Manner("en-gb-x-rp+f1", pitch=52, pitch_range=60, speed=168)),
    Voice("p302", "M", Manner("en-us+m3", pitch=46, pitch_range=55, speed=176)),
    Voice("p303", "F", Manner("en-gb-scotland+f2", pitch=48, pitch_range=50, speed=162)),
    Voice("p304", "M", Manner("en-029+m1", pitch=55, pitch_range=65, speed=170)),
    Voice("p305", "F", Manner("en-us+Annie", pitch=40, pitch_range=40, speed=180)),
    Voice("p306", "M", Manner("en-gb-x-gbclan+m7", pitch=50, pitch_range=45, speed=172)),
    Voice("p307", "F", Manner("en-us-nyc+linda", pitch=44, pitch_range=70, speed=174)),
    Voice("p308", "M", Manner("en-gb-x-rp+Michael", pitch=58, pitch_range=55, speed=165)),
    Voice("p309", "F", Manner("en+f4", pitch=60, pitch_range=50, speed=178)),
    Voice("p310", "M", Manner("en-gb-scotland+Gene", pitch=42, pitch_range=60, speed=160)),
    Voice("p311", "F", Manner("en-029+f5", pitch=46, pitch_range=55, speed=171)),
    Voice("p312", "M", Manner("en-gb-x-gbcwmd+m6", pitch=62, pitch_range=50, speed=182)),
    Voice("p313", "F", Manner("en-us+belinda", pitch=38, pitch_range=60, speed=166)),
    Voice("p314", "M", Manner("en-us-nyc+Lee", pitch=50, pitch_range=70, speed=177)),
    Voice("p316", "F", Manner("en-gb-x-gbclan+grandma", pitch=54, pitch_range=45, speed=164)),
    Voice("p317", "M", Manner("en+david", pitch=64, pitch_range=60, speed=173)),
    Voice("p318", "F", Manner("en-us+Alicia", pitch=50, pitch_range=50, speed=172)),
    Voice("p319", "M", Manner("en-gb-x-rp+miguel", pitch=60, pitch_range=45, speed=162)),
    Voice("p320", "F", Manner("en-gb-x-rp+f3", pitch=57, pitch_range=45, speed=171)),
    Voice("p321", "M", Manner("en-us+Denis", pitch=58, pitch_range=45, speed=176)),
    Voice("p322", "F", Manner("en-gb-scotland+Andrea", pitch=46, pitch_range=45, speed=162)),
    Voice("p323", "M", Manner("en-us-nyc+m2", pitch=53, pitch_range=60, speed=162)),
    Voice("p324", "F", Manner("en-us+steph", pitch=47, pitch_range=45, speed=177)),
    Voice("p325", "M", Manner("en-gb-scotland+Diogo", pitch=53, pitch_range=45, speed=178)),
    Voice("p326", "F", Manner("en-gb-x-gbcwmd+shelby", pitch=43, pitch_range=50, speed=180)),
    Voice("p327", "M", Manner("en+Nguyen", pitch=34, pitch_range=65, speed=161)),
    Voice("p328", "F", Manner("en-029+anika", pitch=58, pitch_range=65, speed=172)),
    Voice("p329", "M", Manner("en-gb-x-gbclan+Gene2", pitch=41, pitch_range=50, speed=161)),
    Voice("p330", "F", Manner("en-us-nyc+aunty", pitch=57, pitch_range=50, speed=169)),
    Voice("p331", "M", Manner("en-us+adam", pitch=53, pitch_range=50, speed=177)),
    Voice("p332", "F", Manner("en+steph3", pitch=43, pitch_range=65, speed=169)),
    Voice("p333", "M", Manner("en-029+m5", pitch=57, pitch_range=70, speed=165)),
    Voice("p334", "F", Manner("en-gb-x-gbclan+f1", pitch=43, pitch_range=65, speed=178)),
    Voice("p335", "M", Manner("en-gb-x-gbcwmd+Henrique", pitch=60, pitch_range=50, speed=171)),
    Voice("p336", "F", Manner("en-us+f4", pitch=43, pitch_range=65, speed=182)),
    Voice("p337", "M", Manner("en-gb-x-rp+Andy", pitch=42, pitch_range=65, speed=161)),
    Voice("p338", "F", Manner("en-gb-scotland+Annie", pitch=59, pitch_range=50, speed=175)),
    Voice("p339", "M", Manner("en-us-nyc+edward", pitch=61, pitch_range=65, speed=173)),
    Voice("p340", "F", Manner("en-gb-x-gbcwmd+belinda", pitch=50, pitch_range=60, speed=178)),
    Voice("p341", "M", Manner("en+Reed", pitch=54, pitch_range=55, speed=169)),
)

MANDARIN = (
    Voice("SSB9001", "F", Manner("cmn+f3", pitch=52, pitch_range=55, speed=196)),
    Voice("SSB9002", "M", Manner("cmn+m2", pitch=50, pitch_range=60, speed=200)),
    Voice("SSB9003", "F", Manner("cmn+aunty", pitch=60, pitch_range=50, speed=190)),
    Voice("SSB9004", "M", Manner("cmn+max", pitch=46, pitch_range=55, speed=206)),
    Voice("SSB9005", "F", Manner("cmn+f1", pitch=42, pitch_range=60, speed=202)),
    Voice("SSB9006", "M", Manner("cmn+Mario", pitch=56, pitch_range=50, speed=194)),
    Voice("SSB9007", "F", Manner("cmn+Annie", pitch=48, pitch_range=50, speed=198)),
    Voice("SSB9008", "M", Manner("cmn+michel", pitch=52, pitch_range=65, speed=188)),
    Voice("SSB9009", "F", Manner("cmn+steph", pitch=50, pitch_range=55, speed=204)),
    Voice("SSB9010", "M", Manner("cmn+m4", pitch=60, pitch_range=60, speed=192)),
    Voice("SSB9011", "F", Manner("cmn+f5", pitch=44, pitch_range=45, speed=195)),
    Voice("SSB9012", "M", Manner("cmn+grandpa", pitch=48, pitch_range=55, speed=186)),
    Voice("SSB9013", "F", Manner("cmn+linda", pitch=46, pitch_range=60, speed=201)),
    Voice("SSB9014", "M", Manner("cmn+robert", pitch=66, pitch_range=50, speed=205)),
    Voice("SSB9015", "F", Manner("cmn+f2", pitch=62, pitch_range=60, speed=193)),
    Voice("SSB9016", "M", Manner("cmn+pablo", pitch=44, pitch_range=50, speed=199)),
    Voice("SSB9017", "F", Manner("cmn+Alicia", pitch=47, pitch_range=50, speed=193)),
    Voice("SSB9018", "M", Manner("cmn+iven3", pitch=58, pitch_range=65, speed=195)),
    Voice("SSB9019", "M", Manner("cmn+Denis", pitch=54, pitch_range=55, speed=205)),
    Voice("SSB9020", "F", Manner("cmn+f4", pitch=56, pitch_range=60, speed=196)),
    Voice("SSB9021", "M", Manner("cmn+m3", pitch=53, pitch_range=50, speed=196)),
    Voice("SSB9022", "M", Manner("cmn+Nguyen", pitch=41, pitch_range=70, speed=188)),
    Voice("SSB9023", "F", Manner("cmn+belinda", pitch=42, pitch_range=45, speed=202)),
    Voice("SSB9024", "M", Manner("cmn+Diogo", pitch=50, pitch_range=70, speed=197)),
    Voice("SSB9025", "M", Manner("cmn+m6", pitch=54, pitch_range=45, speed=188)),
    Voice("SSB9026", "F", Manner("cmn+shelby", pitch=44, pitch_range=60, speed=199)),
    Voice("SSB9027", "M", Manner("cmn+Gene2", pitch=41, pitch_range=70, speed=195)),
    Voice("SSB9028", "M", Manner("cmn+Andy", pitch=49, pitch_range=70, speed=198)),
    Voice("SSB9029", "F", Manner("cmn+Andrea", pitch=57, pitch_range=65, speed=170)),
    Voice("SSB9030", "M", Manner("cmn+m7", pitch=61, pitch_range=55, speed=186)),
    Voice("SSB9031", "M", Manner("cmn+adam", pitch=54, pitch_range=55, speed=191)),
    Voice("SSB9032", "F", Manner("cmn+anika", pitch=59, pitch_range=60, speed=172)),
    Voice("SSB9033", "M", Manner("cmn+Michael", pitch=59, pitch_range=45, speed=201)),
    Voice("SSB9034", "M", Manner("cmn+edward", pitch=41, pitch_range=50, speed=195)),
    Voice("SSB9035", "F", Manner("cmn+steph3", pitch=48, pitch_range=60, speed=188)),
    Voice("SSB9036", "M", Manner("cmn+Lee", pitch=44, pitch_range=70, speed=193)),
    Voice("SSB9037", "F", Manner("cmn+grandma", pitch=60, pitch_range=65, speed=200)),
    Voice("SSB9038", "M", Manner("cmn+Reed", pitch=52, pitch_range=60, speed=201)),
    Voice("SSB9039", "F", Manner("cmn+steph2", pitch=42, pitch_range=50, speed=200)),
    Voice("SSB9040", "M", Manner("cmn+miguel", pitch=52, pitch_range=65, speed=194)),
)

# for codec training, in the layout of LibriTTS
CODEC_TRAINING = (
    Voice("9101", "F", Manner("en-us+f3", pitch=48, pitch_range=55, speed=167)),
    Voice("9102", "M", Manner("en-gb-x-rp+m2", pitch=52, pitch_range=60, speed=175)),
    Voice("9103", "F", Manner("en+aunty", pitch=50, pitch_range=50, speed=163)),
    Voice("9104", "M", Manner("en-us+max", pitch=58, pitch_range=65, speed=179)),
    Voice("9105", "F", Manner("en-gb-scotland+shelby", pitch=55, pitch_range=55, speed=170)),
    Voice("9106", "M", Manner("en-us-nyc+Andy", pitch=44, pitch_range=50, speed=165)),
    Voice("9107", "F", Manner("en-029+steph", pitch=52, pitch_range=60, speed=173)),
    Voice("9108", "M", Manner("en-gb-x-gbclan+boris", pitch=61, pitch_range=55, speed=168)),
)

# for copy synthesis, in the layout of ASVspoof 2019 LA; women and men alternate, so partitions have both
VOCODER = (
    Voice("LA_0001", "F", Manner("en-gb-x-rp+f2", pitch=58, pitch_range=55, speed=171)),
    Voice("LA_0002", "M", Manner("en-gb-scotland+m4", pitch=50, pitch_range=60, speed=166)),
    Voice("LA_0003", "F", Manner("en-us+f1", pitch=42, pitch_range=50, speed=175)),
    Voice("LA_0004", "M", Manner("en-us+Reed", pitch=46, pitch_range=60, speed=169)),
    Voice("LA_0005", "F", Manner("en-us-nyc+grandma", pitch=46, pitch_range=65, speed=180)),
    Voice("LA_0006", "M", Manner("en+m5", pitch=60, pitch_range=55, speed=172)),
    Voice("LA_0007", "F", Manner("en-gb-x-gbcwmd+f5", pitch=52, pitch_range=50, speed=164)),
    Voice("LA_0008", "M", Manner("en-029+grandpa", pitch=48, pitch_range=55, speed=177)),
    Voice("LA_0009", "F", Manner("en-gb-x-gbclan+linda", pitch=54, pitch_range=60, speed=168)),
    Voice("LA_0010", "M", Manner("en-us+robert", pitch=66, pitch_range=50, speed=174)),
    Voice("LA_0011", "F", Manner("en-gb-scotland+f3", pitch=44, pitch_range=60, speed=180)),
    Voice("LA_0012", "M", Manner("en-us+m2", pitch=48, pitch_range=70, speed=176)),
    Voice("LA_0013", "F", Manner("en-us-nyc+Alicia", pitch=51, pitch_range=70, speed=175)),
    Voice("LA_0014", "M", Manner("en-gb-x-rp+m6", pitch=47, pitch_range=50, speed=165)),
    Voice("LA_0015", "F", Manner("en+Annie", pitch=45, pitch_range=50, speed=170)),
    Voice("LA_0016", "M", Manner("en-gb-x-gbclan+Nguyen", pitch=36, pitch_range=50, speed=163)),
    Voice("LA_0017", "F", Manner("en-029+belinda", pitch=55, pitch_range=65, speed=168)),
    Voice("LA_0018", "M", Manner("en-us-nyc+Denis", pitch=48, pitch_range=55, speed=163)),
    Voice("LA_0019", "F", Manner("en-us+shelby", pitch=44, pitch_range=60, speed=180)),
    Voice("LA_0020", "M", Manner("en-gb-x-gbcwmd+max", pitch=51, pitch_range=65, speed=173)),
)
