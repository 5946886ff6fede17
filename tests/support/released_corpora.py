"""Corpora of others as released: the real structure of their folders and lists, with invented names.

Each is its options and its files: the text of a list, or "" for a recording.
"""

from collections.abc import Mapping
from pathlib import Path

Options = dict[str, object]
Texts = dict[str, str]

ASVSPOOF2021LA: Texts = {
    "keys/LA/CM/trial_metadata.txt": (
        "LA_9009 LA_E_9000001 alaw ita_tx A07 spoof notrim eval\n"
        "LA_9009 LA_E_9000002 none loc_tx A19 spoof notrim progress\n"
        "LA_9010 LA_E_9000003 opus sin_tx bonafide bonafide notrim eval\n"
        "LA_9011 LA_E_9000004 pstn mad_tx A11 spoof only_speech hidden\n"
        "LA_9012 LA_E_9000005 alaw loc_tx bonafide bonafide notrim eval\n"
    ),
    **{f"ASVspoof2021_LA_eval/flac/LA_E_900000{number}.flac": "" for number in range(1, 6)},
}
ASVSPOOF2021DF: Texts = {
    "keys/DF/CM/trial_metadata.txt": (
        "LA_9023 DF_E_9000001 nocodec asvspoof A14 spoof notrim progress traditional_vocoder - - - -\n"
        "TEF2 DF_E_9000002 low_m4a vcc2020 Task1-team20 spoof notrim eval neural_vocoder_nonautoregressive Task1 "
        "team20 FF E\n"
        "TGF1 DF_E_9000003 mp3m4a vcc2020 Task2-team12 spoof notrim eval traditional_vocoder Task2 team12 FF G\n"
        "LA_9030 DF_E_9000004 high_ogg asvspoof bonafide bonafide notrim eval bonafide - - - -\n"
    ),
    **{f"ASVspoof2021_DF_eval/flac/DF_E_900000{number}.flac": "" for number in range(1, 5)},
}
ASVSPOOF5: Texts = {
    "ASVspoof5.train.tsv": (
        "T_9001 T_0000900001 F - - - AC3 A05 spoof -\nT_9001 T_0000900002 F - - - - bonafide bonafide -\n"
    ),
    "ASVspoof5.dev.track_1.tsv": (
        "D_9062 D_0000900001 F - - - AC1 A11 spoof -\nD_9063 D_0000900002 M - - - - bonafide bonafide -\n"
    ),
    "ASVspoof5.eval.track_1.tsv": (
        "E_9001 E_0000900001 M C05 2 E_0000800001 AC1 A26 spoof -\n"
        "E_9001 E_0000900002 M - 0 - - bonafide bonafide -\n"
        "E_9003 E_0000900004 F C05 1 E_0000800004 - bonafide bonafide -\n"
        "E_9004 E_0000900005 M - 0 - AC3 A31 spoof -\n"
    ),
    **{f"{folder}_0000900002.flac": "" for folder in ("flac_T/T", "flac_D/D", "flac_E_eval/E")},
    **{f"{folder}_0000900001.flac": "" for folder in ("flac_T/T", "flac_D/D", "flac_E_eval/E")},
    "flac_E_eval/E_0000900004.flac": "",
    "flac_E_eval/E_0000900005.flac": "",
}
SPOOFCELEB: Texts = {
    **{
        f"spoofceleb/metadata/{split}.csv": (
            "file,speaker,attack\n"
            f"a00/id9{number}/AbCdEfGhIjK-00002-006.flac,id9{number},a00\n"
            f"a{number}/id9{number}/AbCdEfGhIjK-00002-006.flac,id9{number},a{number}\n"
        )
        for split, number in (("train", "01"), ("development", "06"), ("evaluation", "11"))
    },
    **{
        f"spoofceleb/flac/{split}/{attack}/id9{number}/AbCdEfGhIjK-00002-006.flac": ""
        for split, number in (("train", "01"), ("development", "06"), ("evaluation", "11"))
        for attack in ("a00", f"a{number}")
    },
}
ROWS_OF_MLAAD = (
    "path|original_file|language|is_original_language|duration|training_data|model_name|architecture|transcript"
)
READING = "by_book/female/reader_a/book_01/wavs/book_01_f00000"
MLAAD: Texts = {
    "fake/de/example_vits/meta.csv": (
        f"{ROWS_OF_MLAAD}\n"
        f"./fake/de/example_vits/book_01_f000001.wav|de_DE/{READING}1.wav|de|True|4.31|thorsten|example_vits|vits|Eins.\n"
        f"./fake/de/example_vits/book_01_f000002.wav|de_DE/{READING}2.wav|de|True|2.07|thorsten|example_vits|vits|"
        'Noch "einer.\n'
    ),
    # the rows name the folder of a language that does not exist
    "fake/zh-cn/example_bark/meta.csv": (
        f"{ROWS_OF_MLAAD}\n"
        "./fake/zh/example_bark/book_02_f000003.wav|en_US/by_book/male/reader_b/book_02/wavs/book_02_f000003.wav|zh-cn|"
        "False|6.5|unknown|example/bark|bark|A made-up line.\n"
    ),
    "fake/de/example_vits/book_01_f000001.wav": "",
    "fake/de/example_vits/book_01_f000002.wav": "",
    "fake/zh-cn/example_bark/book_02_f000003.wav": "",
    f"M-AILABS/de_DE/{READING}1.wav": "",
    f"M-AILABS/de_DE/{READING}2.wav": "",
    f"M-AILABS/de_DE/{READING}9.wav": "",  # which no fake imitates
    "M-AILABS/en_US/by_book/male/reader_b/book_02/wavs/book_02_f000003.wav": "",
}
WAVEFAKE: Texts = dict.fromkeys(
    [
        "generated_audio/ljspeech_melgan/LJ999-0001_gen.wav",
        "generated_audio/ljspeech_waveglow/LJ999-0001_gen.wav",
        "generated_audio/jsut_parallel_wavegan/BASIC5000_9999_gen.wav",
        "generated_audio/common_voices_prompts_from_conformer_fastspeech2_pwg_ljspeech/gen_1.wav",
    ],
    "",
)
CODECFAKE: Texts = {
    "label/train.txt": "SSB99990001.wav real 0\nF01_SSB99990001.wav fake 1\nF02_SSB99990001.wav fake 2\n",
    "label/dev.txt": "p999_001.wav real 0\nF06_p999_001.wav fake 6\n",
    "label/C1.txt": "F01_p999_002.wav fake 1\np999_002.wav real 0\n",
    "label/C3-1.txt": "p999_002.wav real 0\nC3-1_p999_002.wav fake 3\n",
    "label/A3.txt": "Yabcdefghi-1.wav real\n27110.wav fake\n",
    **dict.fromkeys(
        [
            "train/SSB99990001.wav", "train/F01_SSB99990001.wav", "train/F02_SSB99990001.wav", "dev/p999_001.wav",
            "dev/F06_p999_001.wav", "test/C1/p999_002.wav", "test/C1/F01_p999_002.wav", "C3-1/p999_002.wav",
            "C3-1/C3-1_p999_002.wav", "test/A3/Yabcdefghi-1.wav", "test/A3/27110.wav",
        ],
        "",
    ),
}  # fmt: skip
CODECFAKE_WU: Texts = dict.fromkeys(
    [
        f"processed/{codec}{speaker}_001.wav"
        for codec in ("", "encodec_24khz+", "descript-audio-codec-16k+")
        for speaker in ("p225", "p226", "p227")
    ],
    "",
)
CORS: Texts = {
    "CoRS_labels.txt": (
        "p225 p225_001.wav bonafide\np225 p225_001_bigcodec.wav spoof\n"
        "p226 p226_002_Encodec_24b24k.wav spoof\np226 p226_002.wav bonafide\n"
        "p227 p227_003.wav bonafide\np227 p227_003_bigcodec.wav spoof\n"
    ),
    **dict.fromkeys(
        [
            "CoRS/p225_001.wav", "CoRS/bigcodec/p225_001_bigcodec.wav", "CoRS/p226_002.wav", "CoRS/p227_003.wav",
            "CoRS/p226_002_Encodec_24b24k.wav", "CoRS/p227_003_bigcodec.wav",
        ],
        "",
    ),
}  # fmt: skip
COSG: Texts = {
    "CoSG_labels.txt": (
        "EXAMPLETTS EXAMPLETTS_1 Mvq None Freq Spoof\nEXAMPLETTS EXAMPLETTS_2 Real Real Real bonafide\n"
        "EXAMPLEVC EXAMPLEVC_1 Rvq None Time Spoof\n"
    ),
    **{f"CoSG/{name}.wav": "" for name in ("EXAMPLETTS_1", "EXAMPLETTS_2", "EXAMPLEVC_1")},
}
CDD: Texts = {
    **{
        path.format(name): ""
        for split, letter, name in (("train", "T", "T_1"), ("dev", "D", "D_1"), ("test", "E", "E_1"))
        for path in (
            f"asvspoof5/flac_{letter}/{{}}.flac",
            f"CoRS_{split}/Mimi/{{}}.wav",
            f"CoRS_{split}/EnCodecVocos/{{}}.wav",
        )
    },
    "CoRS_test/XCodec2/E_1.wav": "",
    "CoSG/1.wav": "",
}
ESC50: Texts = {
    "meta/esc50.csv": (
        "filename,fold,target,category,esc10,src_file,take\n"
        "1-9001-A-0.wav,1,0,dog,True,9001,A\n1-9001-B-0.wav,1,0,dog,True,9001,B\n"
        "4-9002-A-46.wav,4,46,church_bells,False,9002,A\n5-9003-A-10.wav,5,10,rain,True,9003,A\n"
    ),
    **{f"audio/{name}.wav": "" for name in ("1-9001-A-0", "1-9001-B-0", "4-9002-A-46", "5-9003-A-10")},
}
FSD50K: Texts = {
    "FSD50K.ground_truth/dev.csv": (
        'fname,labels,mids,split\n9101,"Church_bell,Bell","/m/1,/m/2",train\n9102,Rain,/m/3,val\n'
    ),
    "FSD50K.ground_truth/eval.csv": 'fname,labels,mids\n9103,"Bark,Dog","/m/4,/m/5"\n',
    "FSD50K.metadata/dev_clips_info_FSD50K.json": (
        '{"9101": {"title": "a", "license": "…", "uploader": "Anna B."}, "9102": {"title": "b", "uploader": "carl"}}'
    ),
    "FSD50K.metadata/eval_clips_info_FSD50K.json": '{"9103": {"title": "c", "uploader": "dora"}}',
    **dict.fromkeys(["FSD50K.dev_audio/9101.wav", "FSD50K.dev_audio/9102.wav", "FSD50K.eval_audio/9103.wav"], ""),
}
RELEASED: Mapping[str, tuple[Options, Texts]] = {
    "asvspoof2021la": ({}, ASVSPOOF2021LA),
    "asvspoof2021df": ({}, ASVSPOOF2021DF),
    "asvspoof5": ({}, ASVSPOOF5),
    "spoofceleb": ({}, SPOOFCELEB),
    "mlaad": ({"originals": "M-AILABS"}, MLAAD),
    "wavefake": ({}, WAVEFAKE),
    "codecfake": ({}, CODECFAKE),
    "codecfake_wu": ({}, CODECFAKE_WU),
    "codecfake_plus_cors": ({}, CORS),
    "codecfake_plus_cosg": ({}, COSG),
    "cdd": ({}, CDD),
    "esc50": ({}, ESC50),
    "fsd50k": ({}, FSD50K),
}


def build(root: Path, texts: Texts) -> Path:
    """Write the files; a recording is empty, because readers decode none."""
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root
