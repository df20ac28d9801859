"""Question grammars in the style of public benchmarks: `style | task` then one template a line.

Written for this project after the benchmarks' published descriptions; `{slot}` draws from `slots`,
`(a/b)` draws one of the two. A style is what validation holds out as a whole.
"""

VISION = """
# vqav2 | recognition
What is the {person} (holding/wearing/eating/riding)?
What is (on/under/near) the {thing}?
What is in the {person}'s {part}?
What kind of {thing} is this?
What type of {food} is (this/that/on the plate)?
What is the {person} doing?
What sport is (being played/this/shown)?
What room is this?
What animal is (this/shown/in the picture)?
What is the {animal} doing?
What are the {things}?
Who is {verb}?
What is this {person} {verb} on?
What breed is the {animal}?
What time of day is it?
What is the weather like?
What season is it?
Which hand is the {person} using?
What is covering the {thing}?
# vqav2 | attribute
What color is the {thing}?
What color are the {person}'s {thing}?
What colour is the {animal}?
Is the {thing} {colour}?
Is the {person} {adj}?
Is the {thing} {adj}?
What pattern is on the {thing}?
What is the {thing} made of?
What shape is the {thing}?
Is this {animal} {adj}?
Are the {things} {adj}?
What color is the (sky/grass/wall/floor)?
Is it {adj} outside?
Is the {person} {verb}?
Are they {verb}?
Is this photo in (black and white/color)?
Is it (sunny/raining/daytime/cloudy)?
Does the {thing} look {adj}?
# vqav2 | counting
How many {things} are there?
How many {things} are (in the picture/shown/visible/on the {thing}/in the photo)?
How many {things} can you see?
How many {things} are {verb}?
How many {colour} {things} are there?
How many {things} have {things}?
How many different {things} are there?
# vqav2 | existence
Is there a {thing} in the (picture/photo/image)?
Are there any {things}?
Is there a {animal} {verb}?
Does the {person} have a {thing}?
Do you see a {thing}?
Is the {person} wearing a {thing}?
Is anyone {verb}?
Can you see the {thing}?
Is this a {place}?
Is that a {thing}?
Are these {things}?
# vqav2 | spatial
Where is the {thing}?
Where is the {person} {verb}?
Where are the {things}?
What is {rel} the {thing}?
Is the {thing} {rel} the {animal}?
What is in the {side}?
Which direction is the {animal} (facing/looking)?
Where was this picture taken?
# gqa | attribute
What color is the {thing} that is {rel} the {thing}?
Is the {thing} {rel} the {thing} {colour} or {colour}?
Which color do you think the {thing} is, {colour} or {colour}?
What is the {thing} made of, {material} or {material}?
Does the {thing} have {colour} color?
Is the {thing} {adj} or {adj}?
# gqa | spatial
Is the {thing} to the left or to the right of the {thing}?
On which side of the (photo/image/picture) is the {thing}?
What is the piece of furniture {rel} the {thing}?
Who is {rel} the {thing}?
Are there any {things} {rel} the {thing}?
What is the {person} {verb} on?
Where is the {thing}, on the {side} or the {side}?
# gqa | recognition
What kind of (furniture/vehicle/device/animal) is {colour}?
What is the (animal/vehicle/food/device) {rel} the {thing} called?
Which kind of (food/clothing/vehicle) is {rel} the {person}?
What is this {person} wearing?
What (place/room/location) is this?
What is lying on top of the {thing}?
# pope | existence
Is there a {thing} in the image?
Is there a {animal} in the image?
Is there a {person} in the image? Please answer yes or no.
Does the image contain a {thing}?
Is a {thing} present in the picture?
Are there {things} in this image?
# mme | existence
Is there a total of (one/two/three/four/five) {things} in the image? Please answer yes or no.
Are there (one/two/three/four) {things} in this image? Please answer yes or no.
Is there only one {thing} in the image? Please answer yes or no.
# mme | attribute
Are there any {colour} {things} in the image? Please answer yes or no.
Is there a {colour} {thing} in the image? Please answer yes or no.
# mme | spatial
Is the {thing} {rel} the {thing}? Please answer yes or no.
Is the {thing} on the (right/left) side of the {thing}? Please answer yes or no.
# mme | recognition
Is this movie titled {name} (1998/2004/1987)? Please answer yes or no.
Is the (actor/actress/person) inside the red bounding box (called/named) {name}? Please answer yes or no.
Does this image describe a place of {place}? Please answer yes or no.
Is this picture captured in a place of {place}? Please answer yes or no.
Is this an image of {name} {work}? Please answer yes or no.
Does this artwork (belong to/exist in) the (type of/form of) {work}? Please answer yes or no.
Is this artwork displayed in {place}? Please answer yes or no.
# mme | ocr
Is the word in the logo "{name}"? Please answer yes or no.
Is the (phone number/word) in the picture "{n}"? Please answer yes or no.
# seed | recognition
What is the main (subject/object/focus) of the image?
What (is/can be seen) in the background of the image?
What is the {person} in the image wearing on their {part}?
What type of (scene/environment/setting) is depicted in the image?
What is the (overall theme/atmosphere/mood) of the (image/photo)?
Which of the following (objects/items) is (visible/present) in the image?
What is the (activity/action) being performed by the {person} in the {colour} {thing}?
# seed | attribute
What is the color of the {thing} in the image?
What is the (texture/material/shape) of the {thing}?
What color is the {thing} worn by the {person} on the {side}?
# seed | counting
How many {things} are visible in the image? A. One B. Two C. Three D. Four
How many {things} are there in the image in total?
# seed | spatial
Where is the {thing} located in (the image/relation to the {thing})?
What is the position of the {person} relative to the {thing}?
What is the relative position of the {thing} and the {thing}?
What is the relation between the {person} and the {animal}?
# cvbench | spatial
Considering the relative positions of the {thing} and the {thing} in the image provided, where is the {thing} located with respect to the {thing}?
Which object is closer to the camera taking this photo, the {thing} (highlighted by a red box) or the {thing} (highlighted by a blue box)?
Estimate the real-world distances between objects in this image. Which object is closer to the {thing}, the {thing} or the {thing}?
# cvbench | counting
How many {things} are in the image? Select from the following choices. (A) {n} (B) {n} (C) {n}
# blink | spatial
Two points are circled on the image, labeled by A and B beside each circle. Which point is closer to the camera?
Is the {thing} {rel} the {thing}? Select from the following options. (A) yes (B) no
A point is circled on the first image, labeled with REF. Which point on the second image corresponds to it?
# blink | recognition
Which image is most similar to the reference image?
Given the first image with the lower right corner missing, can you tell which one of the second or third image is the missing part?
Which point has a darker surface color, or are they about the same?
# realworld | spatial
Which (object/vehicle/car) is closer to us, the {thing} or the {thing}?
In which direction is the {thing} (facing/moving/heading)?
Where is the {animal} relative to the {thing}?
Which lane are we in?
Is the {colour} car in our lane or the (left/right) lane?
# realworld | existence
Is there a (stop sign/pedestrian/car/cyclist) (ahead/in front of us/crossing the street)?
Are there any (pedestrians/cars/cyclists) on the (left/right) side?
Can we see the {thing} in this scene?
# realworld | attribute
What is the state of the (traffic light/pedestrian light) ahead?
How wide is the {thing} compared to the {thing}?
# mmvp | attribute
Is the {thing} (open/closed) or (open/closed) in this picture?
Are there words displayed on the {thing}?
Is the {animal}'s mouth open or closed?
Is the {animal} facing left or right from the camera's perspective?
Is the {thing} in the picture (upright/upside down/backlit/blurred)?
Can you see the {animal}'s {part}?
# vizwiz | recognition
What is this?
What is this please?
Can you tell me what this is?
Can you please tell me what is in this (can/box/bottle/jar/package)?
What kind of {food} is this?
What flavor is this?
What's in this picture?
# vizwiz | attribute
What color is this?
What color is this {thing}?
Is this {thing} {adj}?
# tallyqa | counting
How many {animal}s are {verb}?
How many {things} are {rel} the {thing}?
How many {colour} {things} are {rel} the {thing}?
Count the {things} in the (picture/image).
What is the number of {things}?
How many {size} {colour} {shape}s are there?
# caption | captioning
Describe (the/this) image.
Describe the image (in detail/briefly/concisely).
Provide a one-sentence caption for the provided image.
Write a (short/detailed) caption for this (photo/picture).
What is happening in (this/the) (image/picture/photo/scene)?
Can you describe what you see in the (image/picture)?
Give a detailed description of the (scene/image).
Summarize the visual content of the image.
Tell me about this picture.
Write a description of the {thing} in the photo.
What do you see in this image?
# textvqa | ocr
what does the {sign} say?
what is written on the {sign}?
what (word/number/letter/name) is (on/printed on) the {sign}?
what is the (name/brand) (of/on) the {thing}?
what brand is (this/the {thing})?
what number is on the {person}'s (jersey/shirt/back)?
what time is (it/shown on the {thing})?
what is the (first/last/top/second) (word/line/number/letter) (on/of) the {sign}?
who is the author of this book?
what is the title of the (book/movie/magazine)?
what is the license plate (number/of the {colour} car)?
what street is this?
what year is (on/printed on) the {thing}?
what is the name of the (store/company/airline/restaurant/team/player)?
what kind of (beer/drink/cereal/phone/camera) is this?
what does it say (at the bottom/on the left/in {colour})?
how much (does the {thing} cost/is the {food})?
what is the price of the {food}?
what website is listed?
what are the letters on the {thing}?
what city is on the {sign}?
is this a {brand} {thing}?
where is the {thing} from, according to the {sign}?
who took this photo?
who is the photo credited to?
what year was this (picture/photo) taken?
what is the name of this (boat/ship/train/car/shop/street/restaurant)?
what is the (highest/lowest/largest/smallest) number (written/shown/printed) on the {thing}?
what number does the (hand/arrow/needle) point to?
which (company/brand/team/airline) is (on the wall/sponsoring the event/this)?
where is the (exit/train/bus) going (to)?
what does the (dial/scale/gauge/meter/thermometer) (read/show/indicate)?
what is the (last name/first name) of the {person} on the {sign}?
what is the (speed limit/room number/flight number/channel)?
what is the alcohol (content/percentage) of this (beer/wine)?
what country is (mentioned/the team from)?
when does the (store/show/series) (open/start/close), according to the {sign}?
how many (ounces/calories/milliliters) does the {thing} (hold/contain)?
which word is (closest to/above/below) the {thing}?
what is in large {colour} font at the top?
is the word {name} on the {sign}?
# ocr | ocr
Read the text in the image.
What is the text in (this/the) image?
what is written in the image?
What word is shown?
Transcribe the (handwritten text/sentence/paragraph).
What number is (shown/displayed/written)?
Recognize the text (on the {sign}/shown).
What is the number in the image?
Extract all text from the {doc}.
Please write out the expression of the formula in the image using LaTeX format.
# docvqa | extraction
What is the {field} (mentioned/given/written) in the {doc}?
What is the {field}?
What is the {field} of {name}?
To whom is the {doc} addressed?
Who (signed/wrote/sent) the {doc}?
What is the {field} at the (top/bottom) of the {doc}?
What is the (title/heading/subject) of the {doc}?
Which company's name is (mentioned/at the top)?
When was the {doc} (dated/sent/received/issued)?
What is the value for '{field}'?
what is the value for {field} of per serving? Answer this question using the text in the image directly.
How many (pages/copies/nomination committee meetings) (are mentioned/has {name} attended)?
What is the {field} (shown/printed) in the {doc}?
What is the salary of {name}?
What is the (first/second/third/last) (item/point/column heading/row) in the (list/table)?
What is the percentage of {group} mentioned in the {doc}?
Which {field} is mentioned under '{field}'?
What is the contact person name mentioned in the {doc}?
Where is the (meeting/conference) held?
What is the full form of {brand}?
What is the name of the (company/hospital/university/chairman) in the {doc}?
What is the name of the person in the (CC/TO/FROM) field?
What is (scheduled/served/planned) at {n}:00?
What type of (announcements/services/studies) are (communicated/mentioned/discussed) in the {doc}?
Which (shop/company/brand/agency) (features/offers/makes) {goods}?
Whose photograph is given at the bottom?
What is the (sales/income/expense/profit) in {year}?
What is (plotted/shown) along the (x/y) axis?
What is written within the (logo/box/circle)?
What is the (total/amount) of {goods} in {year}, in the table?
Which year was the (act/company/society) (enacted/founded/established)?
What is the time (written/mentioned) at the bottom of the page?
What is the (chemical name/dosage/location/position/designation/purpose) (given/mentioned/of {name})?
Who is the (speaker/chairman/president/author/sender/director) (of/in) the {doc}?
What is the (quantity/price/cost/unit) of {goods}?
What does {brand} stand for?
On which date was the (letter/meeting/sample) (sent/held/received)?
How much is the (fee/discount/balance/allowance)?
# infovqa | extraction
How many {group} (were held/are listed/follow {name} on social media)?
Which type of (marketing/social media/food/exercise) (resulted in/has/accounts for) {n}% (return/of users)?
What percentage of (Americans/people/women/students/companies) (have plans to/use/prefer/own) {goods}?
Who is the (second/third) (highest scoring player/most followed person/richest person) (listed/after {name})?
What is the (next step/last step/third step) after {verb}, while preparing {food}?
What is the (second last/first/fourth) reason in the list of top {n} reasons why people {verb}?
In which year (was/did) the {brand} (established/launched/start)?
How much amount of (electricity/water/money) is (generated/used/spent) by the (third/second) highest?
Which (character/player/app/website/vitamin/fruit) (appears in/is good for/helps with) {thing}?
What is the (size/cost/weight/average age/population) of (one/a) {thing}, as per the infographic?
How many (million/billion) (users/people/dollars) does {brand} have?
What are the (symptoms/causes/ingredients/requirements) (given/mentioned)?
Which (state/city/company/sector) (has the highest/ranks first in) {topic}?
What is the {colour} (icon/color/section) used to represent?
What was the (cost/budget/duration) of the {event}?
What percentage of {group} use {brand}?
How many {group} are there in {country}?
Which country has the (highest/largest) number of {group}?
Which is the (second/third) tip given in the infographic?
What is the {topic} of {country} according to the infographic?
What (are/is) the (benefits/steps/tips) (listed/mentioned) in the infographic?
How many steps are shown in the infographic?
Which colour is used to represent {group}, {colour} or {colour}?
What percent of people do not {verb}?
# kie | extraction
what is the name of the company that issued this (receipt/invoice)? Answer this question using the text in the image directly.
when was this (receipt/invoice) issued?
what is the total amount of this (receipt/bill)?
where was this receipt issued?
Extract the {field} from the {doc}.
Which {field} is on the {doc}?
# vizwiz | recognition
What is this? Thank you.
What is this item (please/thanks)?
Can you (please tell me/identify/tell) what this (is/says/item is)?
Hi, what (kind/type/flavor) of {food} is this?
What is in this (can/box/jar/bag/package), please?
What does this (look like/say)? Thanks.
Please (identify/describe) this {thing}.
I need to know what this {thing} is. Thank you.
Can you see the {thing} in this picture?
What (product/medicine/device/bottle) is this and what does the label say?
This is a picture of my {thing}. Can you tell me what it (looks like/is)?
Is this (shampoo or conditioner/regular or decaf/milk or cream)?
# vizwiz | attribute
What color is this (shirt/sweater/tie), please?
Do these (socks/shoes/colors) match?
Is the (light/oven/screen/television) on or off?
Does this {thing} look {adj} to you?
Can you tell me what colors are in this {thing}?
How does my {thing} look?
# vizwiz | ocr
How long do I cook this {food} for?
What are the (instructions/directions/ingredients) on this (box/bag/package)?
What is the (expiration date/denomination/channel) on this {thing}?
What is the temperature (on/of) the {thing} set to?
What does the (screen/display) say? Thank you.
How many calories are in this?
Who is this (letter/mail/card) from?
What number is on this (bill/card/screen)?
# illusion | attribute
Is the {side} {shape} the same size as the {side} {shape}?
Are the two {colour} (lines/{shape}s) the same (length/size/color)?
Is the {side} {shape} (larger/smaller/longer/darker) than the {side} {shape}?
Is the {colour} line (straight/curved/parallel to the other)?
Are the (vertical/horizontal/diagonal) lines actually (parallel/curved/straight)?
Are there any {colour} (dots/points/squares) in the (intersections/middle)?
According to the images, is the {thing} getting (bigger/smaller)?
# mmbench | attribute
Which mood does this image convey? A. {adj} B. {adj} C. {adj} D. {adj}
What (style/type) is this (painting/image)? A. oil painting B. sketch C. photo D. watercolor
What emotion does the {person} (express/show)? A. {adj} B. {adj} C. {adj}
What is the (dominant color/texture/art style) of (this/the) (image/picture)?
What is the {person}'s (expression/posture/emotion)?
# mmbench | recognition
Which one is the correct caption of this image? A. A {person} {verb} B. A {animal} {verb} C. A {thing} on a {thing}
What (scene/category/kind of human behavior) does this (image/picture) (belong to/describe/show)?
Which (category/scene) does this picture (belong to/show)? A. {place} B. {place} C. {place}
What is the main (object/subject) in this picture? A. {thing} B. {thing} C. {animal}
Who is the (person/celebrity/man/woman) in this picture?
# mmbench | spatial
Where is the {thing}? A. {rel} the {thing} B. {rel} the {thing} C. {rel} the {animal}
Which direction is the {person} (looking/facing) (in/at)? A. left B. right C. up
# docvqa | extraction
What is the ‘{field}’ (of/for/as per) ‘{name}’?
What is the '{field}' for '{group}' in {year}?
What is the {field} , as mentioned in the {doc} ?
Who is '{verb}' in the (general session/meeting/program)?
what is the {field} as per the {doc} ?
what mm/dd/yy is the {doc} dated?
Which part of {country} does {name} come from?
What is the amount (spent/allotted/budgeted) (for/on) {goods} in {year}?
How many (nos/copies/pages/cases) of '{thing}' are (sold/there/listed)?
What % of (smokers/consumers/shareholders/participants) (use/prefer/own) {goods} as per the {doc}?
What is the no. of {goods} (sold/mentioned) in the table for {year}?
What is the (heading/caption) of the (graph/figure/table/second column)?
What is the (name/title) of the (graph/chart/figure)?
What is the (unit/label) (used/on) (for/along) the (x/y) axis?
To whom is the {doc} (sent/written/forwarded)?
From which (university/company/department) is the {doc}?
What is the (slogan/motto/tagline) of {brand}?
Which {brand} is mentioned in the (ad/advertisement)?
# vsr | spatial
The {thing} is {rel} the {animal}.
The {animal} is facing (away from/toward) the {thing}.
# easyvqa | recognition
what shape is in the image?
what shape does the image contain?
what is the {colour} shape?
is there a {shape} in the image?
# easyvqa | attribute
what color is the {shape}?
what is the color of the shape?
what color is the shape in the image?
# easyvqa | existence
is there a {colour} shape?
is there not a {shape} in the image?
does the image contain a {colour} shape?
does the image not contain a {shape}?
is no {colour} shape present?
is a {shape} present?
"""  # noqa: RUF001 - documents are quoted as they are printed
