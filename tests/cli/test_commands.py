"""Every command once, as its user would call it; numbers compared with the library's."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from elman import LanguageModel

from .test_bad_input import elman

SMALL = ["--steps", "120", "--seed", "3", "--precision", "fp32"]  # of two runs auto may choose differently
SMALL += ["--set", "model.hidden_size=32", "--set", "model.embedding_size=16"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("commands")
    (made / "text.txt").write_text("".join(f"{n} plus one is {n + 1}.\n" for n in range(700)))
    return made


@pytest.fixture(scope="module")
def trained(folder: Path) -> dict:
    done = elman(
        "train",
        "text.txt",
        *SMALL,
        "--prompt",
        "7 plus",
        "--json",
        cwd=folder,
        ELMAN_CACHE=str(folder / "cache"),
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    return json.loads(line)


@pytest.fixture(autouse=True)
def _cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELMAN_CACHE", str(folder / "cache"))


def test_train_reports_what_the_design_promises(trained: dict, folder: Path) -> None:
    assert trained["model"] == "models/text"
    promised = {
        "model",
        "recipe",
        "parameters",
        "steps",
        "seconds",
        "tokens_per_second",
        "precision",
        "recurrence",
        "device",
    }
    assert promised | {"train", "validation"} == set(trained)
    assert trained["steps"] == 120
    validation = trained["validation"]
    assert {"unigram", "lzma"} < set(validation["baselines"])
    assert any(name.startswith("kneser-ney") for name in validation["baselines"])
    assert validation["characters"] == validation["of_characters"]
    assert validation["bits_per_byte"] < validation["baselines"]["unigram"]
    card = (folder / "models" / "text" / "README.md").read_text()
    assert f"{validation['bits_per_byte']:.3f} bits per byte" in card


def test_metrics_hold_every_tenth_step_the_validations_with_samples_and_the_result(
    trained: dict, folder: Path
) -> None:
    rows = [json.loads(line) for line in (folder / "models/text/metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if row["event"] == "train"] == list(range(10, 121, 10))
    validations = [row for row in rows if row["event"] == "validation"]
    assert len(validations) == 12
    assert all(set(row["samples"]) == {"7 plus"} for row in validations)
    assert rows[-1]["event"] == "result"
    assert list((folder / "models/text/tensorboard").glob("events.*"))


def test_evaluate_gives_the_result_again_and_the_library_the_same(trained: dict, folder: Path) -> None:
    done = elman("evaluate", "models/text", "--json", cwd=folder)
    assert json.loads(done.stdout) == trained["validation"]
    own = elman("evaluate", "models/text", "text.txt", "--json", cwd=folder)
    assert json.loads(own.stdout)["part"] == "validation"  # its own text: the learned part does not count
    library = LanguageModel.load(folder / "models" / "text").evaluate()
    assert library == trained["validation"]


def test_evaluate_of_another_text_scores_all_of_it(trained: dict, folder: Path) -> None:
    (folder / "other.txt").write_text("8 plus one is nine.\n")
    evaluation = json.loads(elman("evaluate", "models/text", "other.txt", "--json", cwd=folder).stdout)
    assert evaluation["part"] == "whole text"
    assert evaluation["characters"] == 20
    scored = LanguageModel.load(folder / "models" / "text").score("8 plus one is nine.\n")
    assert evaluation["nats_per_token"] == pytest.approx(sum(token.nats for token in scored) / 20, rel=1e-5)


def test_evaluate_says_of_another_text_how_much_of_it_was_learned(trained: dict, folder: Path) -> None:
    learned = (folder / "text.txt").read_text()[:9000]
    foreign = "Quite another thing: no number is here, and no sum.\n"
    expected = {learned: 1.0, learned[:3000] + foreign * 20: 3000 / 4040, foreign * 200: 0.0}
    for text, share in expected.items():
        (folder / "other.txt").write_text(text)
        evaluation = json.loads(elman("evaluate", "models/text", "other.txt", "--json", cwd=folder).stdout)
        assert evaluation["learned"] == pytest.approx(share, abs=0.01)
        said = [sentence for sentence in evaluation["verdict"] if sentence.startswith("learned: ")]
        assert said == (evaluation["verdict"] if share > 0.5 else [])
    own = json.loads(elman("evaluate", "models/text", "--json", cwd=folder).stdout)
    assert "learned" not in own  # its held-out part is new to it


def test_dynamic_evaluation_is_a_second_score_and_learns_from_what_it_reads(
    trained: dict, folder: Path
) -> None:
    (folder / "repeated.txt").write_text("nine minus two is seven.\n" * 60)
    done = elman("evaluate", "models/text", "repeated.txt", "--dynamic", "--json", cwd=folder)
    evaluation = json.loads(done.stdout)
    assert evaluation["dynamic"]["nats_per_token"] < 0.7 * evaluation["nats_per_token"]
    assert f"{evaluation['dynamic']['nats_per_token']:.4f} nats per token" in done.stderr
    alike = {"tokens", "characters", "bytes", "unknown", "spelling_nats"}
    assert {name: evaluation["dynamic"][name] for name in alike} == {name: evaluation[name] for name in alike}
    model = LanguageModel.load(folder / "models" / "text")
    again = model.evaluate(folder / "repeated.txt", dynamic=True)
    assert again == evaluation
    assert model.evaluate()["nats_per_token"] == trained["validation"]["nats_per_token"]  # as it was


def test_score_shows_each_token_and_sums_up(trained: dict, folder: Path) -> None:
    scored = json.loads(elman("score", "models/text", "7 plus \u03a9", "--json", cwd=folder).stdout)
    assert [token["token"] for token in scored["tokens"]] == list("7 plus \u03a9")
    assert scored["bits"] == pytest.approx(sum(token["bits"] for token in scored["tokens"]), abs=1e-2)
    table = elman("score", "models/text", "7 plus", cwd=folder).stdout
    assert "'7'" in table
    assert "bits per character" in table


def test_generate_is_reproducible_by_its_seed_and_counts_on(trained: dict, folder: Path) -> None:
    one = json.loads(
        elman("generate", "models/text", "5", "-n", "30", "--seed", "4", "--json", cwd=folder).stdout
    )
    two = json.loads(
        elman(
            "generate", "models/text", "5", "-n", "30", "--seed", "3", "--count", "2", "--json", cwd=folder
        ).stdout
    )
    assert [text["seed"] for text in two] == [3, 4]
    assert two[1]["text"] == one["text"]
    assert len(one["text"]) == one["tokens"] == 30
    plain = elman("generate", "models/text", "5", "-n", "30", "--seed", "4", cwd=folder)
    assert plain.stdout == "5" + one["text"] + "\n"
    model = LanguageModel.load(folder / "models" / "text")
    assert model.generate("5", length=30, seed=4) == one["text"]
    assert "".join(model.stream("5", length=30, seed=4)) == one["text"]
    assert model.generate(length=10, greedy=True) == model.generate("\n", length=10, greedy=True)


def test_compare_puts_tokenizers_side_by_side_by_bits_per_byte(trained: dict, folder: Path) -> None:
    done = elman("train", "text.txt", *SMALL, "--tokenizer", "word", "--out", "words", cwd=folder)
    assert done.returncode == 0, done.stderr
    rows = json.loads(elman("compare", "models/text", "words", "--json", cwd=folder).stdout)
    assert {row["tokenizer"] for row in rows} == {"character", "word"}
    assert rows[0]["bits_per_byte"] <= rows[1]["bits_per_byte"]
    table = elman("compare", "models/text", "words", cwd=folder).stdout
    assert "models/text" in table
    assert "kneser-ney" in table


def test_recipes_lists_all_and_shows_every_setting_of_one(folder: Path) -> None:
    from elman.config import describe_settings
    from elman.recipes import recipe_names

    assert set(json.loads(elman("recipes", "--json", cwd=folder).stdout)) == set(recipe_names())
    shown = elman("recipes", "default", cwd=folder).stdout
    assert "other sizes, and other times, get other values" in shown
    assert "other values" not in elman("recipes", "hour", cwd=folder).stdout
    assert [name for name, _, _ in describe_settings() if f"{name} = " not in shown] == []


def test_a_saved_copy_is_the_same_model_without_the_run(trained: dict, folder: Path) -> None:
    model = LanguageModel.load(folder / "models" / "text")
    model.save(folder / "copy")
    assert not (folder / "copy" / "resume").exists()
    copy = LanguageModel.load(folder / "copy")
    assert copy.generate("1", length=20) == model.generate("1", length=20)
    assert copy.result == model.result


def test_standard_input_trains_as_the_file_does(trained: dict, folder: Path) -> None:
    with open(folder / "text.txt") as text:
        done = subprocess.run(
            [
                __import__("sys").executable,
                "-m",
                "elman",
                "train",
                "-",
                *SMALL,
                "--prompt",
                "7 plus",
                "--json",
            ],
            stdin=text,
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )
    assert done.returncode == 0, done.stderr
    piped = json.loads(done.stdout)
    assert piped["model"] == "models/standard-input"
    assert piped["validation"]["nats_per_token"] == pytest.approx(
        trained["validation"]["nats_per_token"], rel=1e-6
    )


def test_three_lines_of_python_train_and_score(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    model = LanguageModel.train("text.txt", steps=30, settings={"model.hidden_size": 16})
    assert model.result is not None
    assert model.evaluate()["nats_per_character"] == pytest.approx(
        model.result["validation"]["nats_per_character"], rel=1e-6
    )
    assert len(model.generate("1 plus", length=12)) == 12


def test_help_and_version_are_there_for_every_command(folder: Path) -> None:
    top = elman("--help", cwd=folder).stdout
    for command in ("train", "generate", "evaluate", "score", "compare", "recipes"):
        assert command in top
        shown = elman(command, "--help", cwd=folder)
        assert shown.returncode == 0
        assert "Example: elman " + command in shown.stdout
    assert elman("--version", cwd=folder).stdout.strip() == __import__("elman").__version__


@pytest.mark.parametrize(
    "arguments",
    [
        ["generate", "models/text", "7 plus", "-n", "20"],
        ["score", "models/text", "7 plus"],
        ["evaluate", "models/text"],
    ],
)
def test_a_model_is_run_without_importing_torch_where_it_is_installed(
    trained: dict, folder: Path, arguments: list[str]
) -> None:
    program = (
        "import sys; from elman.cli import main\n"
        f"sys.argv = ['elman', *{arguments}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n"
        "    sys.exit(end.code or ('torch was imported' if 'torch' in sys.modules else 0))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_export_mends_a_graph_that_is_damaged(trained: dict, folder: Path) -> None:
    graph = folder / "models" / "text" / "model.onnx"
    whole = graph.read_bytes()
    graph.write_bytes(b"junk\n")
    said = elman("generate", "models/text", "5", "-n", "5", cwd=folder)
    assert said.stderr.endswith(
        "model.onnx is damaged: its content does not match its checksum; write it anew: "
        "elman export models/text\n"
    )
    done = elman("export", "models/text", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert graph.read_bytes() == whole
    graph.write_bytes(b"junk\n")
    done = elman("export", "models/text", "site", "--to", "web", cwd=folder)
    assert "damaged" not in done.stderr
    assert graph.read_bytes() == whole


def test_a_full_disk_at_standard_output_is_one_line(trained: dict, folder: Path) -> None:
    for arguments in (["generate", "models/text", "5", "-n", "20"], ["score", "models/text", "5"]):
        command = [sys.executable, "-m", "elman", *arguments]
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=folder
            )
        assert done.returncode == 2
        assert done.stderr == "elman: cannot write the output: No space left on device; free some space\n"


def test_a_state_goes_on_where_the_printed_text_ended_after_a_stop_string_and_after_ctrl_c(
    trained: dict, folder: Path
) -> None:
    model = LanguageModel.load(folder / "models" / "text")
    write = ["generate", "models/text", "5 plus", "--seed", "1", "--save-state", "kept", "-n"]
    whole = elman(*write, "40", cwd=folder).stdout.removesuffix("\n")
    printed = elman(*write, "40", "--stop", whole[14:16], cwd=folder).stdout.removesuffix("\n")
    assert whole.startswith(printed)
    assert len(printed) <= 14
    on = elman("generate", "models/text", "--state", "kept", "--greedy", "-n", "20", cwd=folder).stdout
    assert on == model.generate(printed, 20, greedy=True) + "\n"
    with subprocess.Popen(
        [sys.executable, "-m", "elman", *write, "10000000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    ) as process:
        assert process.stdout is not None
        begun = process.stdout.read(40)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        rest, said = process.stdout.read(), process.stderr.read()
    assert process.returncode == 130
    assert said == "\ninterrupted; the state after this text is in kept\n"
    on = elman("generate", "models/text", "--state", "kept", "--greedy", "-n", "20", cwd=folder).stdout
    assert on == model.generate((begun + rest)[-2000:], 20, greedy=True) + "\n"
