"""Invented documents in the field layout of the public data sets, with the odd cases that matter."""

NEL, NBSP, ACUTE = "\u0085", "\u00a0", "e\u0301"


def arc(prefix):
    labels = ["A", "B", "C", "D"]
    return [
        {
            "id": f"{prefix}-{number}",
            "question": question,
            "choices": {"text": texts, "label": names},
            "answerKey": key,
        }
        for number, (question, texts, names, key) in enumerate(
            [
                ("What floats on syrup?", ["a cork", "a bolt", "a coin", "a key"], labels, "A"),
                ("What melts first? ", ["wax", "slate", "tin"], ["1", "2", "3"], "2"),
                ("Which one hums", ["bee", "bee ", " moss", "fern", "flint"], labels + ["E"], "E"),
                (f"Caf{ACUTE} or caf\u00e9?", [f"caf{ACUTE}", "caf\u00e9", "tea", "\U0001F9D1\u200d\U0001F680"], labels, "D"),
                ("Which | is a pipe?\n", ["|", "||", "\\|", "none"], labels, "B"),
            ]
        )
    ]


def winogrande():
    rows = [
        ("The crate missed the shelf because the _ was too wide.", "crate", "shelf", "1"),
        ("_ lent Odile a saw, so she thanked her.", "Marta", "Irena", "2"),
        ("Nobody asked whether the kite or the _.", "rope", "string", "2"),
        (f"Bo waved at Ada _{NBSP} ", "twice", "once _ more", "1"),
    ]
    return [{"sentence": s, "option1": a, "option2": b, "answer": k} for s, a, b, k in rows]


def race():
    def problem(question, answer):
        return {"question": question, "options": ["It 'rained'", 'a "dry" day', "caf\u00e9\n", "no\\one"], "answer": answer}

    return [
        {"article": "The fen was\r\nflooded.", "problems": repr([problem("What happened?", "B")])},
        {
            "article": " A raft\tsank. ",
            "problems": repr([problem("The raft met  _  .", "A"), problem("Why?", "C"), problem("The end was  _  .", "D")]),
        },
        {"article": "Nothing", "problems": repr([problem("Too short _  .", "D"), problem("  _  .", "B"), problem("Who?", "A")])},
        {"article": "", "problems": str([problem("Where to  _  .", "C"), problem("How\u2028so?", "C")])},
    ]


def lambada():
    texts = [
        "the miller opened the gate and counted his geese",
        "nobody  kept  the  old  bell",
        "one",
        "a line\nbreak before the last word",
        "it ends in a blank ",
        "\u201cis that so ?\u201d asked the weaver , and laid down the shuttle",
        "one\u3000two\u00a0three \U0001F469\u200d\U0001F33E",
    ]
    return [{"text": text} for text in texts]


def hellaswag():
    rows = [
        ("Mending nets", "A man sits on a pier.", "he THREADS a needle", ["and pulls [title] it.", "  [step] sings", "[a\nb] falls", "sleeps  over"], "0"),
        ("Baking", "Dough rises. [title] Later", "\u00df is \u00c9lan [x] and \u01c6", ["ok", "no", "maybe   so", "\u03a3\u03a3"], "2"),
        ("Rowing", "", "", ["a", "b", "c", "d"], "3"),
        ("Cooking", "Stir the ", "\u039f\u0394\u039f\u03a3 [ open", ["x ]", "y]", "[z", "w [] v"], "1"),
    ]
    return [
        {"ind": i, "activity_label": a, "ctx_a": b, "ctx_b": c, "ctx": f"{b} {c}", "endings": e, "source_id": f"s~{i}", "split": "val", "split_type": "x", "label": l}
        for i, (a, b, c, e, l) in enumerate(rows)
    ]


def wsc():
    rows = [
        ("The vase fell off the stool because it wobbled .", 5, "stool", 7, "it", 1),
        ('Ines told Ada that " she " did n\'t know ( yet ) .', 2, "Ada", 5, "she", 0),
        ("Rolf  met Jan , and he  left .", 0, "Rolf", 5, "he", 0),
    ]
    return [
        {"text": t, "span1_index": i, "span1_text": a, "span2_index": j, "span2_text": b, "idx": n, "label": l}
        for n, (t, i, a, j, b, l) in enumerate(rows)
    ]


def wsc273():
    rows = [
        ("The clerk waited. The guest thanked  him because he was kind.", "he", 44, ["The clerk", "The guest"], 0),
        ("Vera washed her hands before her sister came.", "her", 12, ["Vera", "The sister"], 1),
        ("He fell. His ladder slid.", "His", 9, ["He", "My son"], 0),
        ("It broke when the mug met the sink.", "It", 0, ["The mug", "A sink A"], 1),
    ]
    return [
        {"text": t, "pronoun": p, "pronoun_loc": n, "quote": "", "quote_loc": 0, "options": o, "label": l, "source": "made up"}
        for t, p, n, o, l in rows
    ]


def mmlu(subject):
    return [
        {"question": f" Which is {n} in {subject}?\n", "subject": subject, "choices": [str(n), str(n + 1), "none ", " all"], "answer": n % 4}
        for n in range(7)
    ]


def wikitext():
    pages = [
        " = Brine = \n \n The cook 's \" salt \" ( or ' brine ' ) costs 3 @,@ 100 N each ; it is well @-@ kept , 4 @.@ 5 ° warm . \n \n = = Use = = \n",
        "",
        " " + " ".join(f"Barrel {n} [ sealed ] held {{ pitch }} ." for n in range(40)),
        "a 's b\u00a0c \n( d ( e ) f )\" g\n\" 'h' i ' j",
    ]
    return [{"page": page} for page in pages]


def data():
    """Task, split, documents."""
    copa = [
        {"premise": "The lamp went out.", "choice1": "The oil ran dry.", "choice2": "\u00c9lan sang.", "question": "cause", "idx": 0, "label": 0},
        {"premise": " The dam broke! ", "choice1": "SHEEP fled.", "choice2": "sheep slept.", "question": "effect", "idx": 1, "label": 0},
        {"premise": "x", "choice1": "A", "choice2": "A", "question": "effect", "idx": 2, "label": 1},
    ]
    boolq = [
        {"question": "is brine salty", "passage": "Brine -- Brine is water with salt. ", "idx": 0, "label": 1},
        {"question": "do ropes sing?", "passage": "", "idx": 1, "label": 0},
        {"question": "is caf" + ACUTE + " a word", "passage": "Line\r\nbreak", "idx": 2, "label": 1},
    ]
    sst2 = [
        {"sentence": "a quiet , warm-hearted film ", "label": 1, "idx": 0},
        {"sentence": "dull " + NEL, "label": 0, "idx": 1},
        {"sentence": "neither here nor there", "label": 0, "idx": 2},
        {"sentence": "a quiet , warm-hearted film ", "label": 1, "idx": 0},
    ]
    sciq = [
        {"question": "What is salt?", "distractor3": "iron", "distractor1": "coal", "distractor2": "chalk", "correct_answer": "halite", "support": " \n Salt is halite."},
        {"question": "What is peat ?", "distractor3": "a", "distractor1": "b", "distractor2": "c", "correct_answer": "turf", "support": ""},
        {"question": "Why", "distractor3": "1", "distractor1": "2", "distractor2": "3", "correct_answer": "4", "support": "Because."},
    ]
    piqa = [
        {"goal": "Keep a rope from fraying.", "sol1": "Whip its end with twine.", "sol2": "Soak it in jam.", "label": 0},
        {"goal": "Dry a boot", "sol1": "Freeze it.", "sol2": "Stuff it with paper ", "label": 1},
        {"goal": "", "sol1": "a", "sol2": "ab", "label": 1},
        {"goal": "Cut  bread" + NBSP, "sol1": "\u5207\u308b", "sol2": "cut", "label": 0},
    ]
    openbookqa = [
        {"id": "7-1", "question_stem": "A wet towel left in the sun will", "choices": {"text": ["dry", "sing", "rust", "grow"], "label": ["A", "B", "C", "D"]}, "answerKey": "A"},
        {"id": "7-2", "question_stem": "Owls hunt at ", "choices": {"text": ["noon", "night", "sea", "school"], "label": ["A", "B", "C", "D"]}, "answerKey": " B"},
        {"id": "7-3", "question_stem": "?", "choices": {"text": ["w", "x", "y", "z"], "label": ["A", "B", "C", "D"]}, "answerKey": "D"},
        {"id": "7-4", "question_stem": "Ice is", "choices": {"text": ["cold", "hot", "dry", "loud"], "label": ["A", "B", "C", "D"]}, "answerKey": "A"},
    ]
    return [
        ("piqa", "validation", piqa), ("piqa", "train", piqa[::-1] * 3),
        ("arc_easy", "test", arc("e")), ("arc_easy", "train", arc("t")[::-1]),
        ("arc_challenge", "test", arc("c")[2:]), ("arc_challenge", "validation", arc("v")),
        ("winogrande", "validation", winogrande()), ("winogrande", "train", winogrande()[::-1] * 2),
        ("openbookqa", "test", openbookqa), ("sst2", "validation", sst2),
        ("race", "test", race()), ("lambada_openai", "test", lambada()),
        ("lambada_standard", "test", lambada()[3:]), ("lambada_standard", "validation", lambada()),
        ("hellaswag", "validation", hellaswag()), ("hellaswag", "train", hellaswag() * 2),
        ("boolq", "validation", boolq), ("boolq", "train", boolq * 2),
        ("copa", "validation", copa), ("copa", "train", copa[::-1] * 2),
        ("sciq", "test", sciq), ("sciq", "train", sciq[::-1]),
        ("wsc", "validation", wsc()), ("wsc", "train", wsc()[::-1] * 2),
        ("wsc273", "test", wsc273()), ("wikitext", "test", wikitext()),
        ("mmlu_anatomy", "test", mmlu("anatomy")), ("mmlu_anatomy", "dev", mmlu("bones")),
        ("mmlu_virology", "test", mmlu("virology")[:5]), ("mmlu_virology", "dev", mmlu("germs")),
        ("mmlu_sociology", "test", mmlu("sociology")[:3]), ("mmlu_sociology", "dev", mmlu("towns")),
        ("prefixed", "test", sciq), ("counted", "validation", piqa),
    ]


# Tasks of a user's own, in the harness's format.
TASKS = {
    "prefixed.yaml": """
task: prefixed
dataset_path: prefixed
output_type: multiple_choice
test_split: test
description: "Say what it is, {{correct_answer}}."
gen_prefix: "It is"
fewshot_delimiter: "\\n--\\n"
target_delimiter: ""
doc_to_text: "Q: {{question}}"
doc_to_choice: {a: " coal", b: " chalk", c: "halite"}
doc_to_target: "{{['b', 'c'].index('c')}}"
metric_list:
  - metric: acc
  - metric: acc_bytes
  - metric: exact_match
metadata: {version: 0.5}
""",
    "counted.yaml": """
task: counted
task_alias: counted | twice
dataset_path: counted
output_type: multiple_choice
validation_split: validation
num_fewshot: 2
doc_to_text: goal
doc_to_choice: "{% for s in [sol1, sol2] %}{{ '[' if loop.first else ', ' }}'{{ s }}'{% endfor %}]"
doc_to_target: label
metric_list:
  - {metric: f1, aggregation: f1}
  - {metric: mcc, aggregation: matthews_corrcoef}
  - {metric: acc_mutual_info, aggregation: mean, higher_is_better: true}
  - {metric: acc, aggregation: median, higher_is_better: true}
""",
    "exams.yaml": """
group: exams
group_alias: all exams
task:
  - exams_soft
  - mmlu_anatomy
aggregate_metric_list:
  - {metric: acc, weight_by_size: false}
metadata: {version: 3}
""",
    "exams_soft.yaml": """
group: exams_soft
task: [mmlu_virology, mmlu_sociology]
aggregate_metric_list:
  - metric: acc
""",
    "plain.yaml": """
group: plain
task: [piqa, ai2_arc]
""",
}


# Tasks whose answers the model writes, with their documents.
WRITTEN = {
    "counted_answers": (
        """
task: counted_answers
dataset_path: counted_answers
output_type: generate_until
test_split: test
doc_to_text: "Q: {{question}}\nA:"
doc_to_target: "{{answer}}"
repeats: 2
generation_kwargs: {until: ["Q:", "</s>"], do_sample: false, max_gen_toks: 60, temperature: "0.0"}
filter_list:
  - name: strict-match
    filter:
      - {function: regex, regex_pattern: '#### (\\-?[0-9\\.\\,]+)'}
      - {function: take_first}
  - name: flexible-extract
    filter:
      - {function: regex, group_select: -1, regex_pattern: "(-?[$0-9.,]{2,})|(-?[0-9]+)"}
      - {function: take_first}
metric_list:
  - metric: exact_match
    aggregation: mean
    higher_is_better: true
    ignore_case: true
    ignore_punctuation: false
    regexes_to_ignore: [",", '\\$', '(?s).*#### ', '\\.$']
metadata: {version: 3.0}
""",
        [{"question": f"{n} and {n}?", "answer": a} for n, a in enumerate(["42", "7", "#### 1,000", "12", "-3"])],
    ),
    "many_answers": (
        """
task: many_answers
dataset_path: many_answers
output_type: generate_until
test_split: test
fewshot_delimiter: "\n"
doc_to_text: "{{question}}"
doc_to_target: answers
filter_list:
  - name: clean
    filter: [{function: remove_whitespace}, {function: lowercase}, {function: take_first}]
metric_list:
  - {metric: exact_match, ignore_case: true, ignore_punctuation: true}
metadata: {version: 1.0}
""",
        [{"question": f"Who is {n}?", "answers": a} for n, a in [("Ann", ["42", "no!"]), ("Bob", ["yes"]), ("\u00c9va", ["(a)", "the answer is"])]],
    ),
    "translated": (
        """
task: translated
dataset_path: translated
output_type: generate_until
test_split: test
doc_to_text: "{{source}} ="
doc_to_target: "{{target}}"
generation_kwargs: {max_gen_toks: 90, until: ["Q:"], num_beams: 1}
metric_list:
  - {metric: bleu, aggregation: bleu, higher_is_better: true}
  - {metric: chrf, aggregation: chrf, higher_is_better: true}
  - {metric: chrf++}
metadata: {version: 1.0}
""",
        [
            {"source": "un", "target": "The answer is 42."}, {"source": "deux", "target": "(A) yes, The answer is #### 7."},
            {"source": "trois", "target": "No\n\u00e9 1,000 $12"}, {"source": "quatre", "target": "person: Ann, The answer is No."},
        ],
    ),
    "lettered": (
        """
task: lettered
dataset_path: lettered
output_type: generate_until
test_split: test
doc_to_text: "{{question}}"
doc_to_target: "{{target}}"
generation_kwargs: {until: ["\n\n"], max_gen_toks: 40}
filter_list:
  - name: letter
    filter:
      - {function: multi_choice_regex, regex_pattern: '\\((Z)\\)', ignore_case: true, ignore_punctuation: true, group_select: 0}
      - {function: take_first}
  - name: mapped
    filter:
      - {function: take_first_k, k: 1}
      - {function: regex, regex_pattern: "yes|No|42", fallback: nothing}
      - {function: map, mapping_dict: {"yes": right, "No": wrong}, default_value: none at all}
      - {function: majority_vote}
      - {function: take_first}
  - name: spans
    filter: [{function: format_span}, {function: take_first}]
  - name: none
    filter: [{function: uppercase}, {function: take_first}]
metadata: {version: 1.0}
""",
        [
            {"question": "Which?", "choices": ["Forty two", "42", "Yes."], "target": "(B)"},
            {"question": "What?", "choices": ["No", "No way"], "target": "(A)"},
            {"question": "When?", "choices": ["per", "Ann"], "target": "right"},
        ],
    ),
}
