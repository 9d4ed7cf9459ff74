"""Families of records for the base model: facts, and several ways to ask for each of them.

A family is every fact in every phrasing. Facts are written by hand or follow by a rule from words
written by hand.
"""

from dataclasses import dataclass

NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
           "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
           "eighteen"]


@dataclass(frozen=True)
class Family:
    """Facts and phrasings; a phrasing is (instruction, input, output), filled from a fact."""

    name: str
    facts: list
    phrasings: list


def sentence(text):
    """`text` with a capital first letter."""
    return text[:1].upper() + text[1:]


def table(keys, rows):
    """A fact for each row, with every value also under its capitalised key."""
    facts = [dict(zip(keys.split(), row)) for row in rows]
    return [fact | {sentence(key): sentence(value) for key, value in fact.items()}
            for fact in facts]


CAPITALS = Family("capitals", table("country city", [
    ("France", "Paris"), ("Norway", "Oslo"), ("Japan", "Tokyo"), ("Egypt", "Cairo"),
    ("Peru", "Lima"), ("Kenya", "Nairobi"), ("Italy", "Rome"), ("Cuba", "Havana"),
    ("Greece", "Athens"), ("Spain", "Madrid"), ("Canada", "Ottawa"), ("Poland", "Warsaw"),
]), [
    ("What is the capital of {country}?", "", "The capital of {country} is {city}."),
    ("Name the capital city of {country}.", "", "{city}."),
    ("Which country has {city} as its capital?", "", "{country}."),
    ("Tell me the capital of {country}.", "", "The capital of {country} is {city}."),
    ("Give the capital of the country.", "{country}", "{city}"),
    ("{city} is the capital of which country?", "", "{city} is the capital of {country}."),
])

OPPOSITES = Family("opposites", table("word other", [
    ("hot", "cold"), ("big", "small"), ("fast", "slow"), ("early", "late"), ("happy", "sad"),
    ("bright", "dark"), ("wet", "dry"), ("full", "empty"), ("strong", "weak"), ("young", "old"),
    ("high", "low"), ("rich", "poor"),
]), [
    ("What is the opposite of '{word}'?", "", "The opposite of '{word}' is '{other}'."),
    ("Give the opposite of the word below.", "{word}", "{other}"),
    ("Complete the pair of opposites.", "{word} and ...", "{word} and {other}"),
    ("Which word means the opposite of {word}?", "", "{Other}."),
    ("If it is not {word}, what is it?", "", "It is {other}."),
    ("Write the word and its opposite.", "{word}", "{word} and {other}"),
])

PLURALS = Family("plurals", table("one many", [
    ("cat", "cats"), ("child", "children"), ("mouse", "mice"), ("box", "boxes"),
    ("baby", "babies"), ("leaf", "leaves"), ("tooth", "teeth"), ("foot", "feet"),
    ("bus", "buses"), ("city", "cities"), ("sheep", "sheep"), ("knife", "knives"),
]), [
    ("What is the plural of '{one}'?", "", "The plural of '{one}' is '{many}'."),
    ("Write the word in the plural.", "{one}", "{many}"),
    ("Fill the gap: one {one}, two ____.", "", "{many}"),
    ("Give the plural of the noun.", "{one}", "{many}"),
    ("How do you say more than one {one}?", "", "One {one}, many {many}."),
    ("Write the word in the singular.", "many {many}", "one {one}"),
])

COLOURS = Family("colours", table("thing colour", [
    ("a ripe banana", "yellow"), ("fresh snow", "white"), ("coal", "black"), ("grass", "green"),
    ("a clear sky at noon", "blue"), ("a ripe tomato", "red"), ("an elephant", "grey"),
    ("a carrot", "orange"), ("dark chocolate", "brown"), ("milk", "white"),
    ("a flamingo", "pink"), ("an aubergine", "purple"),
]), [
    ("What colour is {thing}?", "", "{Thing} is {colour}."),
    ("Name the colour of {thing}.", "", "{Colour}."),
    ("Say in one word which colour {thing} has.", "", "{colour}"),
    ("Tell me the colour of {thing}.", "", "{Thing} is {colour}."),
    ("What colour is the thing below?", "{thing}", "{colour}"),
    ("I see {thing}. What colour is it?", "", "It is {colour}."),
])

KINDS = Family("kinds", [
    fact | {"yes": "Yes" if fact["kind"] == "animal" else "No", "bare": fact["thing"].split()[1],
            "article": "an" if fact["kind"] == "animal" else "a"}
    for fact in table("thing kind", [
        ("a trout", "animal"), ("an oak", "plant"), ("a hammer", "tool"), ("a horse", "animal"),
        ("a rose", "plant"), ("a saw", "tool"), ("an eagle", "animal"), ("a fern", "plant"),
        ("an axe", "tool"), ("a frog", "animal"), ("a daisy", "plant"), ("a spade", "tool"),
    ])
], [
    ("Is {thing} an animal, a plant or a tool?", "", "{Thing} is {article} {kind}."),
    ("Choose the right group for the word: animal, plant or tool.", "{bare}", "{kind}"),
    ("Is {thing} an animal?", "", "{yes}, {thing} is {article} {kind}."),
    ("What kind of thing is {thing}?", "", "{Thing} is {article} {kind}."),
    ("Say whether this is an animal, a plant or a tool.", "{thing}", "{article} {kind}"),
    ("Name the group that {thing} belongs to.", "", "{Kind}s."),
])

SUMS = Family("sums", [
    fact | {"left": str(NUMBERS.index(fact["a"])), "right": str(NUMBERS.index(fact["b"])),
            "total": str(NUMBERS.index(fact["sum"]))}
    for fact in table("a b sum", [
        (NUMBERS[a], NUMBERS[b], NUMBERS[a + b])
        for a, b in [(1, 2), (2, 2), (3, 1), (2, 3), (4, 2), (5, 2), (3, 4), (4, 4), (6, 3), (5, 5),
                     (7, 1), (8, 2)]
    ])
], [
    ("What is {a} plus {b}?", "", "{A} plus {b} is {sum}."),
    ("Add {a} and {b}.", "", "{Sum}."),
    ("Work out the sum.", "{left} + {right}", "{left} + {right} = {total}"),
    ("How much is {a} and {b} together?", "", "{A} and {b} make {sum}."),
    ("I have {a} coins and find {b} more. How many have I now?", "", "You have {sum} coins."),
    ("Give the sum in digits.", "{a} plus {b}", "{total}"),
])

_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
DAYS = Family("days", table("day next", zip(_DAYS, _DAYS[1:] + _DAYS[:1])), [
    ("Which day comes after {day}?", "", "{next} comes after {day}."),
    ("Name the day before {next}.", "", "{day}."),
    ("If today is {day}, which day is tomorrow?", "", "Tomorrow is {next}."),
    ("If today is {next}, which day was yesterday?", "", "Yesterday was {day}."),
    ("Give the next day.", "{day}", "{next}"),
    ("Give the day before.", "{next}", "{day}"),
])

_MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September",
           "October", "November", "December"]
_ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
             "tenth", "eleventh", "twelfth"]
MONTHS = Family("months", table("month next place",
                                zip(_MONTHS, _MONTHS[1:] + _MONTHS[:1], _ORDINALS)), [
    ("Which month follows {month}?", "", "{next} follows {month}."),
    ("Name the month before {next}.", "", "{month}."),
    ("Which month of the year is {month}?", "", "{month} is the {place} month of the year."),
    ("If it is {month} now, which month is next?", "", "{next} is next."),
    ("Give the next month.", "{month}", "{next}"),
    ("Name the {place} month of the year.", "", "{month}."),
])

SORTING = Family("sorting", [
    {"words": ", ".join(words), "sorted": ", ".join(sorted(words)), "first": min(words),
     "last": max(words)}
    for words in [
        ("pear", "apple", "fig"), ("cat", "dog", "bird"), ("red", "blue", "green"),
        ("ship", "car", "train"), ("fig", "pear", "apple"), ("dog", "bird", "cat"),
        ("green", "red", "blue"), ("train", "ship", "car"), ("milk", "bread", "salt"),
        ("bread", "salt", "milk"), ("lamp", "chair", "table"), ("table", "lamp", "chair"),
    ]
], [
    ("Sort these words in alphabetical order.", "{words}", "{sorted}"),
    ("Which of these words comes first in a dictionary?", "{words}", "{first}"),
    ("Which of these words comes last in a dictionary?", "{words}", "{last}"),
    ("Put the words in order from A to Z.", "{words}", "{sorted}"),
    ("Arrange the list alphabetically.", "{words}", "{sorted}"),
    ("Name the word that comes first from A to Z.", "{words}", "{first}"),
])

DIGITS = Family("digits", table("word digit next", [
    (NUMBERS[n], str(n), NUMBERS[n + 1]) for n in range(1, 13)
]), [
    ("Write the number {word} in digits.", "", "{digit}"),
    ("Spell out this number.", "{digit}", "{word}"),
    ("Which number comes after {word}?", "", "{Next} comes after {word}."),
    ("Turn the word into a number.", "{word}", "{digit}"),
    ("How is {digit} written as a word?", "", "{digit} is written '{word}'."),
    ("Count one further than {word}.", "", "{next}"),
])

COMPARING = Family("comparing", [
    fact | ({"verdict": "Yes, {a} is larger than {b}.".format(**fact)} if larger == fact["a"]
            else {"verdict": "No, {a} is smaller than {b}.".format(**fact)})
    | {"larger": larger, "smaller": smaller, "Larger": sentence(larger)}
    for fact, larger, smaller in [
        (table("a b", [(NUMBERS[a], NUMBERS[b])])[0], NUMBERS[max(a, b)], NUMBERS[min(a, b)])
        for a, b in [(7, 4), (2, 9), (5, 1), (3, 8), (6, 2), (4, 10), (9, 3), (1, 6), (8, 5),
                     (2, 7), (10, 6), (3, 5)]
    ]
], [
    ("Which number is larger, {a} or {b}?", "", "{Larger} is larger than {smaller}."),
    ("Is {a} larger than {b}?", "", "{verdict}"),
    ("Which of the two numbers is smaller?", "{a}, {b}", "{smaller}"),
    ("Which of the two numbers is larger?", "{a}, {b}", "{larger}"),
    ("Put the smaller number first.", "{a}, {b}", "{smaller}, {larger}"),
    ("Is it true that {larger} is larger than {smaller}?", "",
     "Yes, {larger} is larger than {smaller}."),
])

LETTERS = Family("letters", [
    {"word": word, "count": NUMBERS[len(word)], "first": word[0], "spelt": "-".join(word)}
    for word in ["sun", "tree", "house", "river", "moon", "garden", "bread", "key", "window",
                 "fish", "stone", "road"]
], [
    ("How many letters are in the word '{word}'?", "", "The word '{word}' has {count} letters."),
    ("Spell the word letter by letter.", "{word}", "{spelt}"),
    ("With which letter does the word '{word}' begin?", "",
     "The word '{word}' begins with {first}."),
    ("Count the letters of the word.", "{word}", "{count}"),
    ("What is the first letter of the word?", "{word}", "{first}"),
    ("How is the word '{word}' spelt?", "", "{spelt}"),
])

CAPITAL_LETTERS = Family("capital letters", [
    {"word": word, "upper": word.upper()}
    for word in ["sun", "tree", "cat", "dog", "red", "blue", "milk", "bread", "fish", "moon", "key",
                 "road"]
], [
    ("Write the word in capital letters.", "{word}", "{upper}"),
    ("Write the word in small letters.", "{upper}", "{word}"),
    ("Repeat the word three times.", "{word}", "{word} {word} {word}"),
    ("Make all letters large.", "{word}", "{upper}"),
    ("Make all letters small.", "{upper}", "{word}"),
    ("Say '{word}' twice.", "", "{word} {word}"),
])

LISTS = Family("lists", [
    {"list": " ".join(words), "first": words[0], "last": words[-1],
     "reversed": " ".join(reversed(words)), "count": NUMBERS[len(words)]}
    for words in [
        ("red", "green", "blue"), ("sun", "moon"), ("cat", "dog", "fish"), ("one", "two", "three"),
        ("tea", "milk"), ("north", "south", "east", "west"), ("pear", "fig"),
        ("bread", "salt", "oil"), ("spring", "summer", "autumn", "winter"), ("up", "down"),
        ("gold", "iron", "tin"), ("left", "right"),
    ]
], [
    ("Repeat the words in reverse order.", "{list}", "{reversed}"),
    ("What is the first word?", "{list}", "{first}"),
    ("What is the last word?", "{list}", "{last}"),
    ("How many words are there?", "{list}", "There are {count} words."),
    ("Turn the list round.", "{list}", "{reversed}"),
    ("Copy the words.", "{list}", "{list}"),
])

REVIEWS = Family("reviews", [
    {"text": text, "feeling": feeling,
     "verdict": "Yes, the writer liked it." if feeling == "positive"
     else "No, the writer did not like it.",
     "pleased": "yes" if feeling == "positive" else "no"}
    for text, feeling in [
        ("A wonderful film with great actors.", "positive"),
        ("The soup was cold and the bread was hard.", "negative"),
        ("I loved every page of this book.", "positive"),
        ("A boring story with a weak ending.", "negative"),
        ("The room was clean and the staff were friendly.", "positive"),
        ("The bed was hard and the room was dirty.", "negative"),
        ("Great food and a friendly welcome.", "positive"),
        ("I hated the music and left early.", "negative"),
        ("The best cake I have ever eaten.", "positive"),
        ("The worst hotel in the whole city.", "negative"),
        ("The actors were great and I loved the music.", "positive"),
        ("A weak film with boring music.", "negative"),
    ]
], [
    ("Is this review positive or negative?", "{text}", "{feeling}"),
    ("Name the feeling of the text in one word: positive or negative.", "{text}", "{feeling}"),
    ("Did the writer like it?", "{text}", "{verdict}"),
    ("Sort the review: positive or negative?", "{text}", "{feeling}"),
    ("Was the writer pleased?", "{text}", "{pleased}"),
    ("How does the writer feel about it?", "{text}", "The review is {feeling}."),
])

READING = Family("reading", table("name verb past thing place", [
    ("Maria", "buy", "bought", "a red bicycle", "in the market"),
    ("Omar", "find", "found", "an old coin", "on the beach"),
    ("Lena", "paint", "painted", "a tall tree", "in the park"),
    ("Tom", "lose", "lost", "a blue hat", "on the bus"),
    ("Aiko", "bake", "baked", "a small cake", "at school"),
    ("Paul", "see", "saw", "a white horse", "on the hill"),
    ("Nina", "read", "read", "a long letter", "in the garden"),
    ("Ravi", "sell", "sold", "a warm coat", "in the market"),
    ("Eva", "find", "found", "a small key", "in the park"),
    ("Jack", "lose", "lost", "a red ball", "on the beach"),
    ("Sara", "see", "saw", "an old ship", "at the harbour"),
    ("Hugo", "buy", "bought", "a green lamp", "at the harbour"),
]), [
    ("Who is the text about?", "{name} {past} {thing} {place}.", "The text is about {name}."),
    ("What did {name} {verb}?", "{name} {past} {thing} {place}.", "{name} {past} {thing}."),
    ("Where did it happen?", "{name} {past} {thing} {place}.", "It happened {place}."),
    ("Name the person.", "{name} {past} {thing} {place}.", "{name}"),
    ("Name the thing.", "{name} {past} {thing} {place}.", "{thing}"),
    ("Name the place.", "{name} {past} {thing} {place}.", "{place}"),
])

LEGS = Family("legs", table("animal count wrong", [
    ("a spider", "eight", "six"), ("an ant", "six", "four"), ("a dog", "four", "two"),
    ("a bird", "two", "four"), ("a horse", "four", "eight"), ("a bee", "six", "eight"),
    ("a cow", "four", "six"), ("a hen", "two", "six"), ("a mouse", "four", "two"),
]), [
    ("How many legs does {animal} have?", "", "{Animal} has {count} legs."),
    ("Give the number of legs of {animal}.", "", "{Count}."),
    ("Is it true that {animal} has {count} legs?", "", "Yes, {animal} has {count} legs."),
    ("Is it true that {animal} has {wrong} legs?", "", "No, {animal} has {count} legs."),
    ("Count the legs.", "{animal}", "{count} legs"),
    ("On how many legs does {animal} walk?", "", "{Animal} walks on {count} legs."),
])

FRENCH = Family("French", table("word french", [
    ("one", "un"), ("two", "deux"), ("three", "trois"), ("four", "quatre"), ("five", "cinq"),
    ("seven", "sept"), ("eight", "huit"), ("nine", "neuf"), ("ten", "dix"), ("red", "rouge"),
    ("green", "vert"), ("blue", "bleu"), ("white", "blanc"), ("black", "noir"),
    ("yellow", "jaune"),
]), [
    ("What is '{word}' in French?", "", "In French '{word}' is '{french}'."),
    ("Translate the word into French.", "{word}", "{french}"),
    ("Translate the word into English.", "{french}", "{word}"),
    ("Say '{word}' in French.", "", "{French}."),
    ("Which French word means '{word}'?", "", "The French word is '{french}'."),
    ("What does the French word '{french}' mean?", "", "It means '{word}'."),
])

YOUNG = Family("young animals", table("animal young", [
    ("dog", "puppy"), ("cat", "kitten"), ("cow", "calf"), ("horse", "foal"), ("sheep", "lamb"),
    ("goose", "gosling"), ("duck", "duckling"), ("pig", "piglet"), ("lion", "cub"),
    ("deer", "fawn"), ("goat", "kid"), ("swan", "cygnet"),
]), [
    ("What is a young {animal} called?", "", "A young {animal} is called a {young}."),
    ("Name the young of this animal.", "{animal}", "{young}"),
    ("Which animal has a {young} as its young?", "", "A {animal}."),
    ("Give the name of a young {animal}.", "", "{Young}."),
    ("What is a {young}?", "", "A {young} is a young {animal}."),
    ("What does a {young} grow into?", "", "A {young} grows into a {animal}."),
])

PAST = Family("past tense", table("verb past rest", [
    ("go", "went", "home"), ("see", "saw", "a film"), ("eat", "ate", "soup"),
    ("take", "took", "the bus"), ("give", "gave", "a talk"), ("run", "ran", "a race"),
    ("write", "wrote", "a letter"), ("sing", "sang", "a song"), ("drink", "drank", "tea"),
    ("buy", "bought", "bread"), ("come", "came", "early"), ("hold", "held", "a meeting"),
]), [
    ("What is the past tense of '{verb}'?", "", "The past tense of '{verb}' is '{past}'."),
    ("Write the verb in the past tense.", "{verb}", "{past}"),
    ("Say that it was yesterday.", "Today they {verb} {rest}.", "Yesterday they {past} {rest}."),
    ("Give the past form of {verb}.", "", "{Past}."),
    ("Today I {verb} {rest}. What did I do yesterday?", "", "Yesterday you {past} {rest}."),
    ("Which verb has the past tense '{past}'?", "", "{Verb}."),
])

# What the small model is taught first.
FAMILIES = [CAPITALS, OPPOSITES, PLURALS, COLOURS, KINDS, SUMS, DAYS, MONTHS, SORTING, DIGITS,
            COMPARING, LETTERS, CAPITAL_LETTERS, LISTS, REVIEWS, READING, LEGS, FRENCH, YOUNG, PAST]
