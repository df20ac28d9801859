"""Questions of schoolbooks, exams, puzzles, charts and composed scenes; see `styles`."""

EXAMS = """
# scienceqa | science
What is the capital of {usstate}? A. Boston B. Denver C. Phoenix D. Albany
Which (continent/country/state/ocean/colony/region/island) is highlighted? A. Asia B. Europe C. Africa D. {country}
Which of these (states/cities/continents/oceans/countries) is farthest (north/south/east/west)? A. {usstate} B. {usstate} C. {usstate}
What is the name of the (colony/country/ocean/state/mountain range) (shown/marked with a star/highlighted)?
Which (material/of these/object) (is/are) (this/these) {thing} made of? A. {material} B. {material}
Which of the following is (on the map/true/a city/the best conductor/a solid/a gas/in the Southern Hemisphere/found in {country})? A. {substance} B. {organ} C. {usstate}
Does this passage describe the weather or the climate? Context: Figure: {usstate}. {usstate} is known for its (hot summers/winds/rain). On average, it rains {n} days a year.
Context: Figure: {country}. In {year}, a (storm/volcano/flood) near {country} caused (winds/damage/rain) of {n} miles per hour. Question: Does this passage describe the (weather/climate)?
Context: Figure: {organism}. The {organism} is a kind of animal that lives in the ocean. Hint: it has a (hard shell/long neck/thick fur). Question: which animal is adapted for this?
Is {substance} a (pure substance/mixture/solid/liquid/gas/mineral/rock)? A. yes B. no
Is the following (trait/statement) (inherited or acquired/about {science} true or false)? {name} has {colour} eyes. A. inherited B. acquired
Which (rhetorical appeal/sense of/figure of speech/tense/closing/type of sentence/statement) (is used/does the/matches) in this (ad/text/passage)? A. pathos B. ethos C. logos
Which (trait/adaptation/change/force/property/process/season/air mass/ecosystem) (did/does/matches/has/would) (the {organism}/this/{name}) (have/show/need/feel)?
Which pair of (magnets/objects/solutions/bottles) (has/attracts/is warmer/is heavier)? Pair {n}
Which (bottle/tank/jar/beaker/pan) (has a (lower/higher) temperature/contains more {substance})?
Assume all other forces are ignored. Which {thing} (needs a greater force/was pulled with a larger force/has more kinetic energy)?
Complete the (sentence/text/table). The {organ} is in the (ovule/upper body/inner planets). A. {science} B. {organ}
How do the {organism} (survive/get food/affect the {organism})?
Based on the (timeline/map/table/text/Punnett square/diagram), (what/which) (statement is true/is the ratio of offspring/happened first/can you infer)?
# mmmu | science
<image 1> (Which/What) (of the following/) (is/best describes/explains/shows) (the purpose of/the function of/the type of/) (this (device/structure/muscle/chord/plot)/the (arrow/curve/shaded region))? A. {organ} B. {science} C. {substance}
In <image 1>, (what/which) (is the value of/happens to/corresponds to) (the current/the force/GDP/the balance/the equilibrium) (when/if) (the switch is closed/the price rises/{n} units are sold)?
Refer to the figure <image 1>, (which term/what kind of) (refers to/is) (the process/the art work/the bacteria/the design/the (bone/nerve)) (shown/labelled {pt})?
(Calculate/Find/Determine/Compute) the (net present value/variance/depreciation/power dissipated/efficiency/resistance/deflection/mole fraction/standard deviation) (of/for/in) (the circuit/company {pt}/the beam/the following data/the transformer) <image 1>.
Given the (diagram/graph/table/truth table/tree/circuit/code) in <image 1>, (what/which) is the (output/time complexity/shortest path/Boolean expression/final value)?
# geometry | geometry
How many (triangles/squares/paths/ways/different routes/cubes/cuts/dots/bricks/matches/quadrilaterals) (can you find in the picture/are there from {pt} to {pt}/are missing/are needed/does the figure have)? <image1>
(What/Which) is the (ratio/sum/difference/product/measure) of the (areas/angles/sides/perimeters/shaded parts) (in the figure/of the two {shape}s/shown)?
The (diagram/picture/figure) shows (a {shape}/two {shape}s/a grid of {n} squares) (inside/divided by/next to) (a {shape}/a line). What is (the area/the angle/its side length/the perimeter)? <image1>
A {shape} is (folded/cut/rotated/reflected/divided) (along the dotted line/into {n} parts/by {n} degrees). (What/Which of the figures) (do you get/results/is it)?
Given that {seg} ∥ {seg} and ∠{pt} = {n}°, ∠{tri} = ?
The sides of triangle {tri} are {n}, {n} and x. (Find/What is) x.
# mathword | arithmetic
{name} (walks/drives/stands/builds/draws/puts/throws/is sorting/cuts) (along the road/{n} {goods}/a tower of cubes/cards in a row/his socks/a ribbon). (How many/What/Which) (steps/cubes/numbers/pairs/pieces) (does {name} need/can he find/is left/remain)? <image1>
Seven {goods} lie on top of each other. {name} takes number {n} away. Which one lies (in the middle/on top/at the bottom) now? <image1>
(Each/Every) {goods} weighs {n} kg. How many {goods} weigh as much as (an/a) {thing} (in the picture/on the scale)? <image1>
The (scale/balance/number line/dice/calendar/clock/domino/puzzle) (shows/in the picture shows) {n} and {n}. What number (is hidden/should replace the question mark/comes next/is covered)? <image1>
{name} and {name} (are sitting in a ferris wheel/play a game/share {n} {goods}/walk around the lake). (Where is {name} now/Who wins/How many does each get/When do they meet)? <image1>
The numbers {n}, {n} and {n} are (written/placed) in the (circles/boxes/squares) so that the sums are equal. What number is at {pt}?
(What is/Find/solve for) (x/d/y/the unknown) in the (equation/last equation/second equation/formula)?
What is the (answer/solution/result) (to/of) the (second/first/last/bottom) (equation/problem/sum) (on the (right/left)/in the picture/)?
(What is/How much is/Give) the (total cost/price/cost) of {n} ({goods}/bottles of {brand}/{food}s) (on the menu/at this price/before the discount/after tax)?
What should I pay for {n} {food}s and a {food}?
# superclevr | multi_hop
What is the (material/color/size/shape) of the (other/) (object/thing/{shape}) that is (the same (size/color/material/shape) as/{rel}) the ({mat}/{size}/{colour}) ({shape}/thing/object)?
The (object/thing/{shape}) that is the same (color/size/material) as the {size} {shape} is what (size/shape/color/material)?
What (size/color/shape/material) is the ({colour}/{size}/{mat}) ({shape}/thing) (behind/in front of/{rel}) the ({shape}/thing/object) that is (behind/in front of/on the right side of/{rel}) the {size} {colour} {mat} {shape}?
What is the {size} (thing/object) that is (in front of/behind) the {shape} that is {rel} the {mat} {shape} made of?
How many (other/) (things/objects/{shape}s) are (the same (color/shape/size) as/either {size} {shape}s or/{rel}) the {colour} ({shape}/thing)?
Are there an equal number of {size} {shape}s and {mat} {shape}s?
Is the (size/color/material/shape) of the {colour} {shape} the same as the {mat} {shape}?
There is a {size} {colour} (thing/object) that is {rel} the {shape}; (what material is it/does it have the same color as the {mat} thing)?
# compositional | multi_hop
The {things} in the image on the (right/left) are (set/placed/lying) (into/on/next to) a {thing}.
In the image (to/on) the (right/left), the {thing} (on/near) the {thing} has no {colour}.
The {thing} on the (right/left) is {adj} and {adj}, and the {thing} on the (left/right) is (lying open/{adj}), with {things} on its side.
(One/Each/At least one/Neither) (image/of the images) (shows/contains/features) (a/exactly {n}/at least {n}) ({animal}/{thing}/{things}) ({verb}/{rel} a {thing}).
There (is/are) (exactly/at least/at most/no more than) {n} {things} in (total/the two images/one of the images).
Are (both/all of) the ({animal}s/{things}/cats) the same color?
Does the {thing} have a (different/matching) color (than/from) the {thing}?
Are both the {thing} and the {thing} (made of {material}/the same color/{adj})?
Is the {animal} next to the other {animal} both {adj} and {adj}?
Are the {things} to the right of the {person} {adj} and {adj}?
Is there a {thing} {rel} the appliance that looks {colour} and {colour}?
# chartqa | chart
What percent (who think/of people) (of/think/say/view/are confident in) ({name}/President {name}/{country}/{group}) (as/is/to be) (dangerous/good/favorable/right/effective)?
What is the value of ({country}/{group}/{brand}) in the (graph/chart/{year} bar)?
How many (percent/people/U.S. adults/respondents) (are/say/have/think) (fewer {group}/somewhat confident/very worried/no opinion/{group})?
Is the color of (the {n}% segment/{group}/the smallest bar/the highest line) (light green/{colour})?
Which (country/group/name/year/category/party) (data/) (is/) (shown/represented/indicated) (in/by) the (bottom/middle/top/{colour}/second) (bar/line/segment)?
What (is/was) the (number/rate/share) of ({group}/deaths/births/users/tourists) (per {n}00/per capita/) in {year} in {country}?
Which two (values/bars/years/countries/segments) are (the same/equal/closest) in the (upper/lower/) (graph/chart)?
Which country (received/has/had/spent/exported) the (higher/lower/more/most) {topic}, {country} or {country}?
What is {country}'s {topic} in {year}?
In which (years/year/month/quarter) did ({country}/{group}) and ({country}/{group}) have the same (number/value/share)?
What percentage does ({group}/salary/{topic}) (contribute to/make up of/account for in) (the total/total income/the {topic})?
How many (times/countries/years/bars/lines/categories) (does/is/are) (the {colour} (bar/line)/{country}/) (greater than/above/below/have less than) {n}?
What is the (difference/gap/sum/average) (in/of/between) (the {topic}/the {colour} bar/the two lines) (in/from) {year} (and/to) {year}?
The chart below shows the {topic} in (four/three) countries. Summarise the information by (selecting/reporting) the main features.
Does the (sum/average/{colour} line/{colour} bar) (exceed/cross/equal/fall below) ({n}/the {colour} line/{group})?
# vqamed | science
(what/which) (imaging (method/modality/technique)/mr weighting/type of contrast/kind of scan/body part/slice/organ/view) (was used/is this/is shown/did the patient have)?
(is/was) this (image/) (a/an/taken with) (mri/ct/x-ray/ultrasound/angiogram/pet) (image/scan/)?
(how/with what) was (this/the) (image/scan/x-ray) (taken/acquired/obtained)?
(where/what) is the (lesion/mass/fracture/tumor/abnormality/opacity/pathology) (located/in this image/)?
(does/is) the (patient/heart/lung/aorta/liver/trachea/bowel/kidney) (have/look/appear) (a mass/enlarged/normal/midline/a pneumothorax/dilated)?
# ai2d | science
(What/Which) (part/letter/label/number/layer/stage/planet/organ/bone) (of/in/does/is) (the/number {n}/letter {pt}) (earth's interior/diagram/{organ}/life cycle/{organism}) (indicate/shown/labelled {pt})?
What is the solution if the (lamp/machine/car/pump/printer) is (plugged in/off/broken) and the (bulb/fuse/battery) has burned out?
What (is/comes) (the/) (first/next/last/third) step (in/of) (the/this) (flow chart/cycle/diagram/process/experiment)?
# mmecog | commonsense
Is the ({thing}/ball/tool/device) usually (played with hands/used at night/made of {material}/worn by {person}s)?
There is a sign at the (intersection/corner/road), can I (turn left/stop/park/go straight/overtake)?
Is the place in the picture a good (shelter/place) (from the rain/to swim/to park/to sleep) when it (thunders/rains/snows) outside?
Is the (phone/battery/car/clock) in the (photo/picture) (charging/broken/slow/full)?
The {person} in the picture is {verb}. Does (he/she) (eat {food}/like {thing}s/drink {food}/use a {thing})?
# aokvqa | commonsense
What is (funny/strange/unusual/wrong/interesting/ironic/the joke) (about/in) (this/the) (image/picture/meme/photo/scene)?
Is the ({person}/woman in red/man on the left) going to (be mad/win/fall/be happy/hit the ball) (at the {person}/), (for/because of) {verb} (at the {person}/)? Answer it and give the rationale.
(Where/Who/What) (is/are) (this happening/the persons/the people/they) ? Answer it and give the rationale.
(How/What) (to/should I do to/do I need to) (cook/make/prepare/fix/build/use) (this/the) (dish/{food}/{thing})?
(Should/Can/May) (I/we/you) (add/put/use/touch/open/mix) ({food}/sugar/the {thing}) (when/while/if) ({verb}/mixing {food}/it is {adj})?
What should (we/I/the {person}) (add/do/use/bring/say) (in the third step/next/first/for the {event})?
(Plan/Give me/Suggest/Recommend/Write) (a trip/some ideas/a recipe/three ways/a story/advice) (for/based on/from/about) (this/the) (picture/place/{food}/{person}/ingredients in the image).
(Which/What) (animal/{thing}/job/{food}) (usually/typically/normally) (occupies/sits in/goes with/is used for/lives in) (this/the/that) ({place}/position/{thing})?
What (is/are) the ({thing}/appliance/device/{things}/vehicles) (the {person} is holding/in the picture/) (used for/meant to do/for)?
What (brand/company/team) is a (competitor/rival) of the (brand/company/team) (on/in) the {sign}?
The (company/brand/team) (producing/that made/on) the {thing} is from what country?
What is (typically/usually/normally/often) (on top of/inside/next to/eaten with/put on) (a/this) ({food}/{thing})?
# okvqa | knowledge
What is the name of this (landmark/painting/building/character/dish/breed/dance/trick)?
What (type/kind) of (currency/coin/banknote/government/soldier/religion/law) (is/does) this (banknote/flag/uniform/building/) (represent/belong to/from)?
(What/Which) (tennis championships/games/dishes/animals/countries) (are/is) (held on clay courts/played with this/made from this/native to {country}/famous for this)?
How (does/do) (the/these/this) ({food}/{animal}/{thing}) (taste/smell/work/reproduce/sound/get its power)?
Who is (famous/known/responsible) for (this/inventing this/painting this/designing this {thing})?
What (is/are) the (main/key/usual) (ingredient/ingredients/predator/use/function/diet) (of/in) (this/the) ({food}/{animal}/meal/{thing})?
This {thing} is (powered by/made from/used in) what (energy/fuel/material/sport/country)?
What (tools/clothes/animals/jobs) (are/would be) (needed/found/used) (for/in) (this/the) (sport/environment/job/climate)?
"""
