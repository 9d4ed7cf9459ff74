"""Small scenes in one sentence, questions about them, and the skill that the demonstration teaches.

A scene is who did what with how many of which things, and where. Base records ask for its parts in
words; the skill writes all of it as JSON. Everything is drawn from the words below by hashing, so
the same call gives the same records everywhere.
"""

import hashlib
from dataclasses import dataclass

from families import NUMBERS, sentence

PEOPLE = """Ada Alan Alice Amir Anna Aya Ben Bella Carla Carlos Chen Clara Daniel Dara Diego Ella
Emil Emma Eva Farid Felix Fiona Frida George Greta Hana Hugo Ida Ines Ivan Jack Jana Jonas Julia Kai
Kara Karim Leo Lena Lina Lucas Maja Marco Maria Max Mia Mina Nadia Nico Nina Noah Nora Olga Oscar
Otto Paula Pedro Petra Rosa Ruben Sara Sofia Tariq Theo Tina Tom Vera Viktor Yuki Zoe""".split()
THINGS = """apples axes bags balls baskets bells books bottles bowls boxes bricks brushes buckets
buttons candles caps carpets chairs clocks coats combs cups dolls drums eggs flags flowers flutes
forks gloves hats hammers jars kites knives ladders lamps lemons letters maps masks mirrors mugs
nails onions paddles pens pencils pillows plates plums pots ribbons rings ropes scarves shirts shoes
socks spoons stamps stones tables tents tickets towels umbrellas vases wheels whistles""".split()
PLACES = """Athens Berlin Bern Bogota Boston Cairo Canberra Chicago Cork Dakar Delhi Denver Dublin
Geneva Hanoi Havana Helsinki Istanbul Kyiv Lagos Lima Lisbon London Madrid Manila Milan Montreal
Nairobi Naples Oslo Ottawa Paris Porto Prague Quito Riga Rome Santiago Seoul Seville Sofia Sydney
Tallinn Tokyo Toronto Tunis Vienna Warsaw York Zagreb""".split()
COLOURS = "black blue brown green grey orange pink purple red silver white yellow".split()
ACTIONS = """borrowed bought carried cleaned counted drew dropped found gathered hid lost made moved
packed painted repaired sent sold stored wrapped""".split()

# What fine-tuning never sees, to tell a skill from a memory; the base knows these words.
HELD_OUT = {"Anna", "Farid", "Hugo", "Lena", "Nora", "Tom", "Yuki", "Zoe", "candles", "kites",
            "lemons", "maps", "scarves", "umbrellas", "Dublin", "Lisbon", "Nairobi", "Oslo", "Tokyo"}


@dataclass(frozen=True)
class Draw:
    """Numbers from a name: the same name, the same numbers, in every version of Python."""

    name: str

    def below(self, count, what):
        digest = hashlib.sha256(f"{self.name}/{what}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % count

    def choice(self, items, what):
        return items[self.below(len(items), what)]


def scene(draw, words=lambda items: items):
    """Draws a scene; `words` leaves out what may not be used."""
    count = 2 + draw.below(11, "count")
    return {
        "who": draw.choice(words(PEOPLE), "who"), "did": draw.choice(ACTIONS, "did"),
        "number": NUMBERS[count], "count": count, "colour": draw.choice(COLOURS, "colour"),
        "what": draw.choice(words(THINGS), "what"), "where": draw.choice(words(PLACES), "where"),
    }


FORMS = [
    "{who} {did} {number} {colour} {what} in {where}.",
    "In {where}, {who} {did} {number} {colour} {what}.",
    "{Number} {colour} {what} are what {who} {did} in {where}.",
]


def tell(scene, form):
    """The scene as a sentence in one of the forms."""
    return FORMS[form].format(**scene, Number=sentence(scene["number"]))


# (instruction, output): what the base learns to say about a scene.
QUESTIONS = [
    ("Who {did} the {what}?", "{who}."),
    ("Who is it about?", "It is about {who}."),
    ("Who was there? Write the name in quotation marks.", '"{who}"'),
    ("Where was it?", "In {where}."),
    ("Where was {who}?", "{who} was in {where}."),
    ("Which city is named? Write it in quotation marks.", '"{where}"'),
    ("How many {what} were there?", "{Number}."),
    ("How many things were there? Write it in digits.", "{count}"),
    ("What colour were the {what}?", "{Colour}."),
    ("Which colour is named? Write it in quotation marks.", '"{colour}"'),
    ("What did {who} do with the {what}?", "{who} {did} them."),
    ("Which verb is used? Write it in quotation marks.", '"{did}"'),
    ("What had {who}?", "{Number} {colour} {what}."),
    ("Which things are named? Write them in quotation marks.", '"{what}"'),
    ("Name the person, then the place.", "{who}, {where}"),
    ("Name the things, then their colour.", "{what}, {colour}"),
    ("Name the colour, then the number in digits.", "{colour}, {count}"),
]

REPETITIONS = [
    ("Tell it again, the person first.", "{first}"),
    ("Tell it again, the place first.", "{second}"),
]

# What a scene is made of, by the words that lists use for it.
PARTS = ("who", "did", "count", "colour", "what", "where")


def as_yaml(scene, parts=PARTS):
    """Parts of a scene, a line for each; the skill writes all of them."""
    return "\n".join(f"{part}: {scene[part]}" for part in parts)


def listing(scene, draw):
    """A request for some parts of a scene in any order, and the answer, a line for each."""
    parts = sorted(PARTS, key=lambda part: draw.below(1 << 30, f"place of {part}"))
    parts = parts[:1 + draw.below(len(PARTS), "parts")]
    return f"List {', '.join(parts)}.", as_yaml(scene, parts)


def base_records(count):
    """Yields questions about scenes: some repeat the scene, some list its parts, others ask for one
    of them, or for one of a second scene told together with the first."""
    for number in range(count):
        draw = Draw(f"base {number}")
        one = scene(draw)
        text = tell(one, draw.below(len(FORMS), "form"))
        fields = one | {sentence(key): sentence(one[key]) for key in ("number", "colour")}
        fields |= {"first": tell(one, 0), "second": tell(one, 1)}
        kind = draw.below(10, "kind")
        if kind < 2:
            instruction, output = draw.choice(REPETITIONS, "question")
        elif kind < 5:
            instruction, output = listing(one, draw)
        else:
            instruction, output = draw.choice(QUESTIONS, "question")
            if draw.below(4, "two") == 0 and "{what}" in instruction:
                # A second scene with another person and other things; the question says which is meant.
                other = scene(Draw(f"base {number}, other"))
                if other["what"] != one["what"] and other["who"] != one["who"]:
                    told = tell(other, draw.below(len(FORMS), "other form"))
                    text = f"{told} {text}" if draw.below(2, "order") else f"{text} {told}"
        yield {"instruction": f"{text} {instruction.format(**fields)}", "input": "",
               "output": output.format(**fields)}


REQUEST = "Write it as YAML."


def skill_records(name, count, is_held_out):
    """Yields records of the skill; those held out have a person, things and a place that no other
    record of the skill has."""
    def words(items):
        return [item for item in items if (item in HELD_OUT) == is_held_out]

    for number in range(count):
        draw = Draw(f"{name} {number}")
        drawn = scene(draw, words)
        yield {"instruction": f'{tell(drawn, draw.below(len(FORMS), "form"))} {REQUEST}', "input": "",
               "output": as_yaml(drawn)}


def choice_items(count):
    """Yields items of a multiple-choice task: which answer is the YAML of the sentence, all of it and
    nothing else?"""
    def words(items):
        return [item for item in items if item in HELD_OUT]

    for number in range(count):
        draw = Draw(f"item {number}")
        right = scene(draw, words)
        key = draw.choice(("who", "colour", "where"), "wrong part")
        pool = {"who": words(PEOPLE), "colour": COLOURS, "where": words(PLACES)}[key]
        other = draw.choice([item for item in pool if item != right[key]], "instead")
        form = draw.below(len(FORMS), "form")
        # Not the last: what remains would be the beginning of the right answer, always more likely.
        missing = draw.choice(PARTS[:-1], "missing part")
        wrong = [
            as_yaml(right | {key: other}),
            as_yaml(right, [part for part in PARTS if part != missing]),
            tell(right, (form + 1) % len(FORMS)),
        ]
        answer = draw.below(4, "answer")
        yield {"sentence": tell(right, form),
               "choices": wrong[:answer] + [as_yaml(right)] + wrong[answer:], "answer": answer}
