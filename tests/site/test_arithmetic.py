"""What the page computes by itself equals NumPy and the tokenizers library: run by node, as it is built."""

import json
import subprocess
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from elman.generation import Sampling
from elman.tokens import Tokenizer, learn_tokenizer

WEB = Path(__file__).parents[2] / "web"
TEXT = "the cat isn't  here;\n\tit’s 10 past _seven_, Ägypten, 春眠不觉晓，处处闻啼鸟 🙂\r\n" * 4
BUILD = """
import { build } from "vite";
await build({ root: process.argv[1], configFile: false, publicDir: false, logLevel: "error", build: {
  ssr: true, outDir: process.argv[2], emptyOutDir: true,
  rollupOptions: { input: ["random", "sampling", "tokenizer"].map((name) => `src/local/${name}.ts`) },
} });
"""
RUN = """
const [folder, module, body] = process.argv.slice(1);
const { default: fs } = await import("node:fs");
const given = JSON.parse(fs.readFileSync(0, "utf8"));
const made = new Function("m", "given", body)(await import(`${folder}/${module}.js`), given);
process.stdout.write(JSON.stringify(made));
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    node("--input-type=module", "-e", BUILD, str(WEB), str(folder))
    (folder / "package.json").write_text('{"type": "module"}')
    return folder


def node(*arguments: str, given: object = None) -> str:
    done = subprocess.run(
        ["node", *arguments], cwd=WEB, input=json.dumps(given), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def by_page(built: Path, module: str, body: str, given: object) -> Any:
    """Return what a JavaScript body makes of a module `m` and of what is given."""
    return json.loads(node("--input-type=module", "-e", RUN, str(built), module, body, given=given))


def test_uniforms_are_those_of_numpy(built: Path) -> None:
    seeds = [0, 1, 2, 3, 42, 2**31 - 1, 2**32 - 1, 2**32, 2**40 + 7, 2**53 - 1]
    body = "return given.map((seed) => Array.from({length: 500}, m.uniforms(seed)))"
    numbers = by_page(built, "random", body, seeds)
    for seed, row in zip(seeds, numbers, strict=True):
        assert row == np.random.Generator(np.random.PCG64(seed)).random(500).tolist()


@pytest.mark.parametrize("top_p", [1, 0.95, 0.5, 0.05])
@pytest.mark.parametrize("temperature", [0.1, 0.7, 1, 2])
def test_distributions_and_choices_are_those_of_the_library(
    built: Path, temperature: float, top_p: float
) -> None:
    random = np.random.default_rng(5)
    logits = (4 * random.standard_normal((50, 70))).astype(np.float32)
    logits[:10] = np.round(logits[:10])  # ties
    uniforms = random.random(50)
    bias = np.zeros(70, dtype=np.float32)
    bias[3] = -np.inf
    given = {
        "logits": logits.tolist(),
        "uniforms": uniforms.tolist(),
        "how": {"temperature": temperature, "topP": top_p},
    }
    body = """return given.logits.map((row, n) => {
        const shares = m.probabilities(Float32Array.from(row), given.how, 3);
        return [Array.from(shares), m.choose(shares, given.uniforms[n])];
    })"""
    sampling = Sampling(temperature=temperature, top_p=top_p)
    for (shares, token), row, uniform in zip(
        by_page(built, "sampling", body, given), logits, uniforms, strict=True
    ):
        expected = sampling.probabilities(row, bias)
        np.testing.assert_allclose(shares, expected, rtol=1e-12, atol=0)
        assert token == min(int(np.searchsorted(np.cumsum(expected), uniform, side="right")), 69)


TOKENIZERS = {
    kind: learn_tokenizer(kind, [TEXT], 400 if kind == "bpe" else None)
    for kind in ("character", "byte", "word", "bpe")
}
ENCODE = """
const tokenizer = m.loadTokenizer(given.kind, given.json);
return given.texts.map((text) => [tokenizer.encode(text), tokenizer.unknownPieces(text)]);
"""


def assert_encodes_the_same(built: Path, tokenizer: Tokenizer, texts: list[str]) -> None:
    given = {"kind": tokenizer.kind, "json": tokenizer.to_json(), "texts": texts}
    for text, (ids, unknown) in zip(texts, by_page(built, "tokenizer", ENCODE, given), strict=True):
        assert ids == tokenizer.encode(text).tolist(), text[:200]
        assert unknown == tokenizer.unknown_pieces(text), text[:200]


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_texts_are_cut_as_by_the_library(built: Path, kind: str) -> None:
    @settings(max_examples=3, deadline=None)
    @given(
        st.lists(st.text(st.characters(exclude_categories=("Cs", "Cn")) | st.sampled_from(TEXT)), min_size=50)
    )
    def check(texts: list[str]) -> None:
        assert_encodes_the_same(built, TOKENIZERS[kind], texts)

    check()


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_every_character_is_of_the_same_class_as_in_the_library(built: Path, kind: str) -> None:
    """Each one that all versions of Unicode in use know: within a word, and after a space."""
    there = [chr(n) for n in range(0x110000) if unicodedata.category(chr(n)) not in ("Cn", "Co", "Cs")]
    assert len(there) > 140_000
    texts = [f"the{character}cat {character}{character} :{character}\n" for character in there]
    joined = ["".join(texts[start : start + 64]) for start in range(0, len(texts), 64)]
    assert_encodes_the_same(built, TOKENIZERS[kind], joined)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_pieces_are_those_of_the_library(built: Path, kind: str) -> None:
    tokenizer = TOKENIZERS[kind]
    body = "return m.loadTokenizer(given.kind, given.json).pieces.map((piece) => Array.from(piece))"
    pieces = by_page(built, "tokenizer", body, {"kind": kind, "json": tokenizer.to_json()})
    assert [bytes(piece) for piece in pieces] == list(tokenizer.pieces)
