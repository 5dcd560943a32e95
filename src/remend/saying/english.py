"""What can be said in English, and what is answered."""

from __future__ import annotations

from remend.saying.words import Language, Word, entries

__all__ = ["ENGLISH"]

LINES = "scratch crack"
SPOTS = "stain dust hole"

WORDS: dict[str, Word] = {
    **entries(
        "remove",
        {
            "": "remove|erase|delete|drop|take|get|get out|no|no more|without the|wipe|wipe out|"
            "wipe away|wipe off|take out|take away|take off|get rid of|rub out|cut out|"
            "clear away|eliminate|lose|kill|scrub|scrub out|strip|hide|dissolve|paint over|"
            "brush out|edit out|retouch out|zap|removing|erasing|deleting|rid of|away with|gone|"
            "disappear|vanish"
        },
    ),
    **entries(
        "clean",
        {
            "": "clean|fixed|cleaned|repaired|mended|restored|retouched|filled|clean up|cleanup|"
            "clear|clear up|fix|fix up|repair|mend|heal|restore|retouch|touch up|patch|patch up|"
            "fill|fill in|tidy|tidy up|sort out|cleaning|fixing|repairing|healing"
        },
    ),
    **entries(
        "keep",
        {
            "": "keep|but keep|leave|but leave|but not|not|except|except for|apart from|other than|"
            "without touching|without|without removing|do not touch|don't touch|dont touch|"
            "but don't touch|do not remove|don't remove|but do not touch|but don't remove|"
            "preserve|spare|protect|everything but|all but|anything but|do not|don't|"
            "not touching|save for|excluding|with the exception of|but spare|not the"
        },
    ),
    **entries("keeps", {"": "stays|should stay|must stay|can stay|stay|remains|should remain|remain"}),
    **entries(
        "refused",
        {
            "": "add|paint|draw|make|turn|change|replace|swap|put|insert|create|colour|colorize|"
            "colourize|rotate|crop|resize|write|move|sharpen|blur|brighten|darken|lighten|"
            "enlarge|upscale|generate|give|smile|convert|flip|zoom|print|save|open|send|play|"
            "sing|tell|what|why|who|how|when"
        },
    ),
    **entries(
        "kind",
        {
            "scratch": "scratch",
            "crack": "crack|fold|crease",
            LINES: "line|streak|stroke",
            "stain": "stain|smudge|blotch|smear|splash|spill|watermark stain|coffee stain|water stain|ring",
            "hole": "hole|tear|rip|gap|missing part|missing piece|missing bit|puncture|burn",
            "text": "date|date stamp|datestamp|timestamp|time stamp|caption|subtitle|inscription|number|sign",
            "watermark text": "watermark|logo|stamp|copyright mark|copyright notice",
            SPOTS: "spot|blemish|mark|fleck|dot",
            "dust": "speck|dust speck|dust spot|particle",
        },
    ),
    **entries(
        "kind",
        {
            "scratch": "scratches|scratching",
            "crack": "cracks|folds|creases|cracking|craquelure",
            LINES: "lines|streaks|strokes",
            "stain": "stains|smudges|blotches|smears|splashes|staining|foxing|coffee|rings",
            "hole": "holes|tears|rips|gaps|missing parts|missing pieces|burns|missing areas",
            "text": "text|dates|captions|subtitles|letters|lettering|writing|words|numbers|handwriting|"
            "inscriptions|digits|signs",
            "watermark text": "watermarks|logos|stamps",
            SPOTS: "spots|blemishes|marks|flecks|dots",
            "dust": "dust|specks|dust specks|dust spots|hair|hairs|lint|fluff|dirt|particles|fibres|"
            "fibers|grit|dust particles|snow",
            "scratch crack dust stain hole": "damage|damages|damaged parts|defects|flaws|faults|"
            "imperfections|wear|damaged areas|"
            "defect",
            "scratch crack dust stain hole text watermark": "everything|anything|it all|whatever",
        },
        many=True,
    ),
    **entries(
        "object", {"": "thing|object|item|blob|shape|square|box|patch", "round": "ball|circle|disc|disk"}
    ),
    **entries(
        "object",
        {"": "things|objects|items|blobs|shapes|squares|boxes|patches", "round": "balls|circles|discs|disks"},
        many=True,
    ),
    **entries(
        "person",
        {
            "": "person|man|woman|people|face|faces|child|boy|girl|guy|men|women|head|eye|eyes|mouth|"
            "nose|hand|hands|skin|dog|cat|tourist|tourists|baby|hat|shirt|dress"
        },
    ),
    **entries(
        "colour",
        {
            "red": "red|reddish|crimson|scarlet",
            "orange": "orange",
            "yellow": "yellow|yellowish|golden|gold",
            "green": "green|greenish",
            "cyan": "cyan|turquoise|teal",
            "blue": "blue|bluish|navy",
            "purple": "purple|violet|lilac",
            "pink": "pink|magenta",
            "brown": "brown|brownish",
            "black": "black",
            "white": "white|whitish",
            "grey": "grey|gray|greyish",
            "dark": "dark|darker",
            "light": "light|bright|pale|lighter|brighter",
        },
    ),
    **entries(
        "zone",
        {
            "top": "top|upper|above|up top|at the very top",
            "bottom": "bottom|lower|below|foot|at the very bottom|down below",
            "left": "left|left hand|lefthand|left-hand",
            "right": "right|right hand|righthand|right-hand",
            "middle": "middle|centre|center|central|centred|centered",
            "corner": "corner|corners",
            "edge": "edge|edges|border|borders|margin|margins|rim|side|sides",
            "half": "half",
        },
    ),
    **entries(
        "area", {"sky": "sky|skies|clouds|heaven|air", "background": "background|backdrop|back ground"}
    ),
    **entries(
        "shape",
        {
            "large": "large|big|huge|larger|bigger|great|wide|giant|fat",
            "small": "small|little|tiny|smaller|fine|minor|wee",
            "long": "long|longer",
            "short": "short|shorter",
            "thin": "thin|hairline|narrow",
            "thick": "thick|broad|heavy",
            "horizontal": "horizontal|level|sideways",
            "vertical": "vertical|upright|straight down",
            "round": "round|circular",
        },
    ),
    **entries(
        "most",
        {
            "large": "largest|biggest|main|hugest",
            "small": "smallest|tiniest|littlest",
            "long": "longest",
            "short": "shortest",
            "left": "leftmost|left most|furthest left|farthest left",
            "right": "rightmost|right most|furthest right|farthest right",
            "top": "topmost|highest|uppermost|top most",
            "bottom": "bottommost|lowest|lowermost|bottom most",
            "thick": "thickest|widest",
            "thin": "thinnest",
        },
    ),
    **entries(
        "ordinal",
        {
            "1": "first|1st",
            "2": "second|2nd",
            "3": "third|3rd",
            "4": "fourth|4th",
            "5": "fifth|5th",
            "-1": "last",
        },
    ),
    **entries(
        "from",
        {
            "left": "from the left|from left|counting from the left",
            "right": "from the right|from right|counting from the right",
            "top": "from the top|from top|from above",
            "bottom": "from the bottom|from bottom|from below",
        },
    ),
    **entries("all", {"": "all|every|each|any|all of|all the|all of the|every single|whole|entire"}),
    **entries("one", {"": "a|an|one|single|ones"}),
    **entries("count", {"2": "both|both of|two|pair of", "3": "three", "4": "four", "5": "five"}),
    **entries("and", {"": "and|or|plus|as well as|together with|along with|then|and then|also|and also"}),
    **entries("the", {"": "the|that|this|those|these|my"}),
    **entries(
        "filler",
        {
            "": "please|there's|there is|there are|don't want it|don't want them|i'd|i'm|can|could|"
            "would|you|i|me|we|want|need|to|of|in|on|at|from|near|by|with|into|inside|across|"
            "over|along|around|within|just|only|go|going|like|picture|photo|image|photograph|"
            "scan|is|are|be|there|here|it|its|it's|them|up|out|off|away|part|portion|area|region|"
            "section|hand|ugly|annoying|awful|nasty|horrible|old|bad|visible|stupid|damn|bloody|"
            "nicely|carefully|quickly|now|hey|ok|okay|so|well|let|let's|lets|us|should|must|"
            "that's|which|has|have|got|some|stuff|coloured|colored|colour|color|looking|running|"
            "going through|through|but|for|very|really|quite|little bit|bit|kindly|thanks|thank|"
            "hello|hi|remend|towards|toward|next|close|burnt|burned|printed|stamped|said|"
            "side of the picture|as it is|as they are|alone|intact|untouched|everywhere"
        },
    ),
}

ANSWERS = {
    "ambiguous": '"{said}" fits {count} things: {choices}',
    "which": ": say which, or give --pick with its number, or all",
    "choice": "{number} {name}",
    "nothing": '"{said}": no {what} can be seen{where}: say where it is in other words, or give a mask',
    "too few": '"{said}": there are {count}, fewer than that: {choices}',
    "unknown": 'what does "{word}" mean here? Name a kind ({kinds}), or a colour and a place, as in '
    '"remove the red spot at the top left"',
    "nameless": 'what a "{word}" looks like is not known: say its colour and where it is, as in '
    '"the red one at the top left", or give a mask',
    "person": '"{word}": people, faces and what they wear are not recognised: say a colour and a place, '
    "or give a mask",
    "refused": '"{word}" is nothing that repair does, for it only takes away: say what should go, as in '
    '"remove the date"',
    "area": "all of the {area} is more than can be filled: say what in it should go, or give a mask",
    "empty": 'say what should go, as in "remove the date" or "the scratches in the sky"',
    "no area": "no {area} was found: say the place in other words, top, left, middle, corner",
    "pick": "--pick {number}: there are {count} that fit, from 1 on",
    "in": " {place}",
    "marked": '"{said}": {what}',
}

NAMES = {
    "scratch": "scratch",
    "crack": "crack",
    "dust": "dust",
    "stain": "stain",
    "hole": "hole",
    "text": "lettering",
    "watermark": "watermark",
    "object": "thing",
    "sky": "sky",
    "background": "background",
    "top": "at the top",
    "bottom": "at the bottom",
    "left": "at the left",
    "right": "at the right",
    "middle": "in the middle",
    "top left": "at the top left",
    "top right": "at the top right",
    "bottom left": "at the bottom left",
    "bottom right": "at the bottom right",
    "large": "large",
    "small": "small",
    "named": "{colour} {noun} {place}",
}

ENGLISH = Language(WORDS, ANSWERS, NAMES, spaced=True, joins=(", ", " and "))
