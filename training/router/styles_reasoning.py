"""The reasoning-heavy half of the question grammars; see `styles`."""

REASONING = """
# mathword | arithmetic
{name} has {n} {goods}. {name} gives {n} to {name}. How many {goods} does {name} have (left/now)?
{name} bought {n} {goods} for ${f} each. How much did {name} (spend/pay)?
A store sells {goods} at {n} for ${n}. How much do {n} {goods} cost?
If a train travels at {n} km/h for {n} hours, how far does it go?
{name} recorded how many {goods} were sold each day. What is the (mean/median/mode/range) of the numbers?
How much money does {name} need to buy {n} {goods} and a {thing}? (Unit: $)
What fraction of the {goods} are {colour}?
Fill in the blank: {n} + {n} = ___
What is {n} (+/-/×/x/times/divided by/plus/minus) {n}?
Calculate {n} (+/-/*) {n}.
Solve (the equation/for x): {n}x + {n} = {n}.
What is the (result/answer) of the (expression/equation) in the image?
What number comes next in the series?
what does this equal?
Continue the series: {n}, {n}, {n}, ?
How many {goods} are left if {n} are eaten?
What is the total cost of the {food} and the {food}?
The clock shows a time. What time will it be in {n} minutes?
What is {n}% of {n}?
Is the answer to the arithmetic question in the image {n}? Please answer yes or no.
A number machine doubles and adds {n}. What comes out for {n}?
What is the probability of (drawing/rolling/picking) a {colour} {shape}?
How many cubes are needed to build the solid?
Look at the table. How much more did {name} spend than {name}?
what is the result?
is the result greater than {n}?
Compute the missing value in the magic square.
Look at the table. Then answer the question. At a price of ${n}, is there a shortage or a surplus?
What time is shown? Answer by typing a time word, not a number. It is (_) past {n}.
{name}'s classmates revealed how many {goods} they have. What is the range of the numbers?
A statistician analyzed the number of {goods}. How many people scored (at least/fewer than) {n}?
An employee counted the number of {goods} in each bag. How many bags had exactly {n} {goods}?
Several people compared how many {goods} they had. What is the mean of the numbers?
Move the ruler to measure the length of the {thing} to the nearest inch. The {thing} is about (_) inches long.
The picture shows {n} rows of {goods}. Which multiplication sentence matches?
How many more {goods} does {name} have than {name}?
What is the rate of change between {year} and {year}?
# clevrmath | arithmetic
Subtract all {size} {colour} {shape}s. How many objects are left?
Add {n} {mat} {shape}s. How many {shape}s exist?
Subtract {n} {colour} {things}. Subtract all {mat} {shape}s. How many objects are left?
# geometry | geometry
In the figure, {seg} = {n} and {seg} = {n}. Find the length of {seg}.
As shown in the figure, {seg} is the diameter of ⊙O, ∠{tri} = {n}°, then the degree of ∠{pt} is ()
Find x.
Find m∠{pt}.
Find $m \\angle {pt}$ if $\\triangle {tri}$ is isosceles.
What is the area of the (triangle/shaded region/parallelogram/circle/trapezoid)?
Find the (perimeter/area/volume) of the (figure/polygon/solid).
What is the value of x in the triangle?
Triangle {tri} is similar to triangle {tri}. What is {seg}?
If {seg} is parallel to {seg} and ∠{pt} = {n}, what is the measure of ∠{pt}?
In triangle {tri}, angle {pt} = {n} degrees. What is the size of angle {pt}?
What is the radius of the circle?
Find the measure of the {n}-sided polygon's interior angle.
A cone has radius {n} and height {n}. What is its (volume/surface area)?
What is the length of the hypotenuse?
In the given figure, line {seg} is tangent to circle O at {pt}. Find ∠{tri}.
The point {pt} is the midpoint of {seg}. Express {seg} in terms of {seg}.
What is the slope of the line?
What is the y-intercept of the function?
For which x is f(x) (maximal/zero/greater than {n})?
Is the function (even/odd/continuous/monotonic/differentiable)?
Which of the following is the equation of the parabola?
How many lines of symmetry does the shape have?
# chartqa | chart
What is the difference (between/in value between) {group} and {group}?
What was the {topic} of {country} in {year}?
What's the value of the (highest/lowest/{colour}) bar?
In which year was the {topic} (highest/lowest/the same)?
What is the (sum/average/median/ratio) of the {topic} in {year} and {year}?
How many {group} are represented in the (chart/graph)?
Which country has the (highest/lowest/second highest) {topic}?
What is the (peak/maximum/minimum/lowest) value of the {colour} (line/graph/bar)?
What percentage of {group} (say/think/prefer) {group}?
Is the {topic} of {country} (greater/more/less) than that of {country}?
When does the gap between the two lines become (largest/smallest)?
How many bars are (above {n}/below {n}/{colour})?
What is the total of {group} and {group}?
By how much did the {topic} (increase/decrease) from {year} to {year}?
What was the {topic} in {year}?
How many years have a {topic} (over/above/greater than) {n}?
Is the sum of the two (smallest/lowest) values (greater than/equal to) the largest value?
What does the {colour} (bar/line/segment) represent?
How many colors are used in the (graph/chart)?
What country had the largest {topic} in {year}?
How many people in {country} {verb} in {year}?
Which age group has the highest {topic}?
How much revenue did {brand} generate in {year}?
How many {group} (came from/died of/work in) {country}?
Which country data is shown in the {colour} line?
What color does {country} show in the graph?
What does the {colour} color indicate?
What was the total amount of {topic} in {country} from January to December {year}?
What percentage of {group} involved {goods} in {year}?
Who is the (career/all-time) leader of the {country} team?
What was the number of {group} in {country} in {year}?
What is the (leading/most popular) (brand/option/reason) (in {country}/among {group})?
What was the estimated {topic} of {country} as of {year}?
Which (brand/company/platform) had the largest {topic}?
Which (state/company/brand/year/group/party/sport) had the (most/least/highest/lowest) (votes/sales/deaths/number of users)?
What is the (average/median/total) (salary/age/price/score/distance) of {group}?
How many (deaths/users/vehicles/stores/employees/billion dollars) (were recorded/did {brand} have) in {year}?
What is the value of the (blue/smallest/leftmost/rightmost/second) (bar/segment/point)?
Which (category/option/answer) is the (most popular/second most common/least common)?
What is the ratio between the two smallest segments?
What percentage of (U.S. adults/respondents/voters/people in {country}) (trust/approve of/are worried about/support) {group}?
# figureqa | chart
Is {shade} the (minimum/maximum/low median/high median/smoothest/roughest)?
Is {shade} (greater/less/smoother/rougher) than {shade}?
Does {shade} have the (maximum/minimum) area under the curve?
Does {shade} have the lowest value?
Does {shade} intersect {shade}?
Is {shade} (less/greater) than {colour}?
Is {colour} the (minimum/maximum/low median/high median/smoothest/roughest)?
Is {colour} (greater/less/smoother/rougher) than {colour}?
Does {colour} have the (maximum/minimum) area under the curve?
Does {colour} intersect {colour}?
which bar is the (highest/lowest/tallest)?
is the {colour} bar (higher/lower) than the {colour} bar?
what is the sum of the {colour} and {colour} bars?
by how much do the {colour} bar and the {colour} bar differ?
# dvqa | chart
What is the label of the (first/second/third) (bar/group of bars) from the left?
How many bars have values (larger/smaller) than {n}?
What is the accuracy of {model} in {dataset}?
What percentage of people prefer the object {thing}?
Which object is the (most/least) preferred?
How many units of the item {thing} were sold?
Is each bar a single solid color without patterns?
# plotqa | chart
In how many years, is the {topic} of {country} greater than {n}?
What is the ratio of the {topic} in {year} to that in {year}?
Across all years, what is the (maximum/minimum) {topic}?
What is the difference between the highest and the second highest {topic}?
What is the title of the (graph/plot)?
What is the label or title of the X-axis?
Does the {topic} monotonically increase over the years?
# charxiv | chart
Which {model} has the best {topic} on {dataset}?
At which epoch does {model} reach its (peak/lowest) loss?
What is the spatially highest labeled tick on the y-axis?
In the table, which method achieves the highest score on {dataset}?
Which of the following curves (converges fastest/has the lowest error)?
How many methods in the table achieve a score higher than {f}?
# mapqa | chart
Which states have the (highest/lowest) value in the (South/West/Northeast)?
Does {usstate} have a higher value than {usstate}?
What is the lowest value in states that border {usstate}?
Among the states that border {usstate}, does {usstate} have the highest value?
# scienceqa | science
Which property do these (two/three/four) objects have in common?
Which of the following could {name}'s test show?
Identify the question that {name}'s experiment can best answer.
Which solution has a higher concentration of {colour} particles?
Compare the average kinetic energies of the particles in each sample. Which sample has the higher temperature?
Think about the magnetic force between the magnets in each pair. Which of the following statements is true?
Will these magnets attract or repel each other?
What is the name of the colony shown?
What is the capital of {usstate}?
Which of these (states/continents/oceans/cities) is (farthest north/highlighted/marked)?
Which of the following organisms is the (producer/consumer/decomposer) in this food web?
Based on the (food web/arrows), which of the following organisms are (consumers/producers)?
Select the (mammal/fish/reptile/chemical formula/amphibian/rock) (below/for this molecule).
What is the probability that a plant produced by this cross will be (homozygous/heterozygous) for the gene?
Which animal's (feet/mouth/skin/beak) is also adapted for {verb}?
What (can/does) {name} and {name} trade to each get what they want?
Is {substance} (a mineral/an elementary substance/a compound/a solid/a liquid)?
Which of the following is made up of only one chemical element?
During this time, thermal energy was transferred from ( ).
Which word matches the diagram?
Is the following statement about our solar system true or false?
Complete the statement. {substance} is ().
# ai2d | science
What does the label {pt} (show/represent/indicate) in the diagram?
Which (letter/label) (represents/shows/points to) the {organ}?
What is the (part/region/layer) labeled {pt}?
In the diagram of the food web shown, what would happen to the {organism} if the {organism} (died/decreased/were removed)?
From the above food chain diagram, what will be the effect if all the {organism} died?
What is the (stage/phase) (after/before) the {organ}?
Which of these is a (predator/prey/herbivore/carnivore/primary consumer) in the food web?
What do {organism} eat?
How many (stages/phases/planets/layers) are (shown/there) in the diagram?
What process is shown in the diagram, {science} or {science}?
If the {organism} population increases, the {organism} population will most likely?
What is the outermost layer of the {organ} called?
Which organism is at the top of the food chain?
What comes between the {organ} and the {organ}?
Where does the energy in this ecosystem come from?
What causes {science}?
# mmmu | science
<image 1> Which of the following is the (correct/most likely) (diagnosis/explanation/interpretation)?
Using the node-voltage method, find the voltage v1 in <image 1>.
Each of the following situations relates to a different company. <image 1> For company {pt}, find the missing amounts.
The {work} <image 1> was made in which (period/style/century)?
A {n} kg block slides down a frictionless incline of {n} degrees. What is its acceleration?
Consider the circuit in the figure. What is the current through the {n} ohm resistor?
What is the IUPAC name of the compound shown?
Which of the following best describes the (structure/organism/reaction) in the (image/micrograph)?
According to the (supply and demand/IS-LM) (graph/diagram), what happens when the government (raises taxes/sets a price ceiling)?
What is the moment of inertia about the axis {pt}?
The structure shown in <image 1> is (derived from/innervated by) which of the following?
In the (X-ray/CT scan/histology slide), what abnormality is (seen/indicated by the arrow)?
What chord is played in the (first/third) measure?
A ball is thrown with an initial velocity of {n} m/s. Determine the maximum height.
Determine the (reaction at support {pt}/shear force/bending moment) of the beam.
# superclevr | multi_hop
Are there (more/fewer) {size} {colour} {shape}s than {mat} {shape}s?
Is the number of {colour} {things} that are {rel} the {mat} {thing} (greater/less) than the number of {size} {things}?
What color is the {mat} {shape} that is {rel} the {size} {shape}?
There is a {colour} {shape} {rel} the {mat} {shape}; what is its (size/material/color)?
Do the {size} {mat} {shape} and the {colour} {shape} have the same (color/size/shape/material)?
What number of other {shape}s are the same (color/size) as the {mat} {shape}?
Is there any other thing that has the same color as the {shape}?
How many things are either {colour} {shape}s or {mat} {shape}s?
# compositional | multi_hop
what color is the shape {rel} the (largest/smallest) {shape}?
what shape is {rel} the {colour} {shape}?
are all shapes {colour}?
is every {shape} {colour}?
are there more {shape}s than {shape}s?
is there a {colour} {shape} and a {shape}?
is there a {colour} {shape} or a {shape}?
what is the biggest shape?
Both images contain the same number of {things}.
The left image contains twice the number of {things} as the right image.
Is the {thing} {rel} the {person} who is {verb} the same color as the {thing}?
Are both the {thing} and the {thing} {colour}?
Which is (bigger/taller/older), the {thing} {rel} the {thing} or the {animal}?
Which {thing} in the first image is missing in the second image?
# aokvqa | commonsense
Why is the {person} {verb}?
Why is the {person} wearing a {thing}?
What might (happen/the {person} do) (next/if the {thing} falls)?
What will the {person} most likely do (next/after this)?
What is the {person} likely about to do?
What could the {thing} be used for?
What is the purpose of the {thing}?
What is the most likely reason the {animal} is {verb}?
Why are the {things} {adj}?
What can you infer about the (relationship/mood/time of year)?
What would happen if the {person} let go of the {thing}?
How is the {person} feeling?
What event are these people (celebrating/attending)?
What is the {person} trying to (do/catch/avoid/achieve)?
Should I stop when I am about to cross the street? Please answer yes or no.
What does the {person}'s expression suggest?
Why did the {person} (stop/turn around/bring the {thing})?
What is the (joke/humor) in this (meme/picture)?
What is unusual about this image?
What type of occupation does this {person} likely have?
Is it safe to {verb} here?
What is the intention of [person1]?
Why is [person2] {verb} next to [person1]?
What would be the best (place/way) to {verb} the {thing}?
What might be the consequence of {verb} on the {thing}?
Based on the image, what could the {person} do to (improve/fix) the {thing}?
# okvqa | knowledge
What (sport/job/purpose) (can you use this for/is this usually for/)
What do you call (this kind of/the) {thing} (used for {verb}/)
What is this (trick/move/style/type of {thing}/dish/breed) called?
What is the (name/term) for (a group of these animals/this kind of {thing}/a {person} who does this/)
What (company/country/brand) (makes/manufactures/produces/is known for) this (type of/) {thing}?
What (famous/well known) (person/film/company/song) is (associated with/named after) this {animal}?
How do (people/they) (make/prepare/use/grow) this (type of {food}/kind of {thing}/)
How (fast/far/high/long/old/heavy) (can/does/do) (this animal/these/this vehicle) (usually/typically/) (run/live/get/weigh/go/)
What (does this animal/do these animals) (usually eat/typically live in/use its {part} for/)
What (material/metal/fuel/ingredient) (is usually/is commonly/are often) used to make (this/these) {things}?
What (vitamins/nutrients/calories) (are in/does) this {food} (have/contain/provide/)
What is the (origin/history/meaning) of this (sport/holiday/symbol/{food}/)
What are the (benefits/dangers/rules/parts) of (this sport/playing this game/this type of {thing}/)
In what (country/city/state/decade) (was this taken/would you find this/is this {thing} most popular/)
Who (first/originally) (made/invented/popularized/owned) this (type of/) {thing}?
What (type of license/skill/equipment/training) (is needed/do you need) to (use/operate/do) this?
What is (the horsepower/the top speed/the boiling point/the average price) of this (kind of/) {thing}?
Which (season/month/climate) (is this {food}/are these {things}) (usually/) (grown/found) in?
What is a (common/popular) (name/nickname) for this (kind of/) {animal}?
Can you name the (model/type/species/breed) of the {animal}?
What (holiday/tradition/event) is (this {food}/this {thing}) (usually/) (eaten/used) (on/for/)
Why (do/are) these {animal}s (called/have) {adj} {part}s?
What (religion/culture/era) does this {thing} (belong to/come from/)
Is this {animal} (a carnivore or an herbivore/endangered/native to {country}/)
What (chemical/gas/mineral) (gives this {food} its color/makes this {thing} work/)
# aokvqa | commonsense
What is the (probable/most likely) (relationship/reason/purpose/location) of the {person} and the {person}?
What (type/kind) of (person/profession/business) would (most likely/probably) (use/own/need) this {thing}?
What is the {person} (about to/going to/getting ready to) do with the {thing}?
What could (happen/go wrong) if the {person} (fell/slipped/stopped/)
What does the {person} (need to/have to) do to (get the {thing}/win/be safe/)
What (is/are) the {things} (usually/most likely/probably) (used/meant/there) for?
What (would/will) the {animal} do if (it sees a {animal}/the {person} moves/)
What might (these people/the {person}) be (celebrating/waiting for/worried about/)
How (can/could) you (tell/know) (that the {person} is {adj}/it is {adj}/)
Why (would/might/could/) someone (use/need/want) (this/a) {thing} (here/)
What (helps/prevents/allows) the {person} (from/) (stay warm/fall/stand on the {thing}/)
Which of these (would/could) be (paired/used) with the {thing}?
What season is it (most likely/probably) and how can you tell?
What is likely (inside/missing from/hidden behind) the {thing}?
# mmecog | commonsense
Should I (stop/turn left/wear this/go) (when/if) (I see this sign/I am about to cross/the light looks like this/) Please answer yes or no.
Is it (appropriate/suitable/usual/safe) to (use/wear/eat) the (thing/{thing}) in the picture (for/at/in) a {event}?
(Do people commonly/Does one usually) use the (item/tool) in the picture (for/to) {verb}?
Does the animal in the picture (usually/) (catch mice/live in water/lay eggs/eat meat/)
Are the {things} in the picture (usually/) (environmentally friendly/used in winter/expensive/)
Here is a picture of a {person} {verb}. Am I (happy/eating a {food}/in a {place}/)
The {person} in the picture is {verb}. (Does he/Does she/Is it) (likely to/) (be tired/eat {food}/work in a {place}/)
Can I (drink/park/smoke/swim/turn right) here?
I want to {verb}. Is the (tool/item) in the picture (usually/) (appropriate/useful/)
All {things} in the picture can be used for {verb}, is this right?
Is the (shape/word) translated into English as "{thing}"?
Is it appropriate to translate the Chinese in the image into English '{thing}'?
# mmecog | code
Is the output of the (python/C++/java/javascript/) code "{n}"?
The image shows a (python/C++) code. Is the output 'Hello'?
Is a (c++/python) code shown in the picture (that prints {n}/)
# vqamed | science
what (imaging modality/imaging plane/plane/organ system) (is shown/is seen here/is depicted/is demonstrated/)
(is this a/was this) (t1/t2/flair/ct/mri/x-ray) (weighted image/scan/contrast/)
is this a (ct/mri/contrast ct/noncontrast mri) (scan/image/)
was (iv/gi) contrast given to the patient?
what is (abnormal/most alarming/the primary abnormality) (in/about) (this/the) (ct scan/x-ray/mri/image/)
what (part of the body/organ/organ system) is (being imaged/shown in this image/evaluated/)
which (plane/modality) is the (image/scan) (taken/acquired) in?
is there (evidence of/any) (fracture/pneumothorax/edema/hemorrhage/effusion/mass/)
what is the (diagnosis/mr weighting/finding) in this (image/patient/slice/)
how was this (image/scan) (taken/acquired/)
where is the (lesion/mass/fracture/opacity) located?
are the (lungs/ribs/kidneys) (normal/fractured/enlarged/)
what does the (histology/microscopy) (slide/image) show?
# nlvr2 | multi_hop
There are (two/three/at least four) {things} in the image pair.
In at least one (of the/) images? there is a {colour} {thing} {rel} a {thing}.
One of the images (shows/contains) a {animal} {verb} and the other (shows/contains) {things}.
Each image contains (one/exactly two) {things}.
The {thing} in the left image is (larger/darker/more {adj}) than the one in the right image.
An image shows a {animal} {rel} a {thing} with {colour} {things}.
At least one {person} is {verb} in the right image.
No {things} are visible in the left image.
# visit | commonsense
Write a (slogan/story/tweet/product review/speech) (for/about/based on) the {thing} (in the image/shown).
(Create/Compose/Design) a (quiz/plan/recipe/lesson/poem) (based on/using) (this/the) (image/picture/items).
What (can you make/would you cook) with (these/the) (ingredients/items) (shown/)
Give (tips/advice/instructions) on how to (use/clean/improve/build) the {thing} in the (picture/photo).
What is the (message/moral/main persuasive appeal) of this (ad/cartoon/poster/meme/)
What (challenges/factors/precautions) should (one/the {person}/people) consider (when {verb} in this environment/in this situation/)
What (strategies/steps) could the {person} (use/take) to {verb} (safely/better/)
What are some (potential/possible) (benefits/reasons/risks/outcomes) of (the {person} {verb}/having a {thing} in the {place}/)
What does the presence of the {thing} (suggest/imply/tell us) about the {place}?
Discuss the (role/importance/impact) of {things} in (this/the) (scene/{place}).
# iq | commonsense
Which shape comes next in the sequence?
Choose the option that completes the pattern.
Which figure is the odd one out?
Which number is missing?
Which of the shapes completes the square?
# okvqa | knowledge
Which (American president/country/company) is associated with this {thing}?
Who (invented/discovered) this {thing}?
What year was the {thing} invented?
What is the (scientific name/nickname) of this {animal}?
What country does this {food} (come from/originate in)?
In which (year/century) was this {work} (built/constructed/painted)?
Who (designed/painted/built) this {work}?
What is the name of the (person/celebrity/landmark) (in this image/shown)?
Which city is this {work} located in?
What vitamin is found in this {food}?
What is the height of this {work}?
Where was this {work} first made?
What movie is this (character/scene) from?
What is the closest body of water to this {work}?
What do you call the sound this {animal} makes?
How long does this {animal} usually live?
What is the age gap between these two people in image?
What ingredient is needed to make this {food}?
Which religion is practiced in this {work}?
What position does this player play?
What language is spoken where this {work} stands?
# code | code
Write (Python/matplotlib/HTML/JavaScript) code (that reproduces this (chart/page)/for the figure).
What does this (code/program/script/function) (print/do/return/output)?
What is the output of the (program/code/function) in the image?
The image shows a python code. Is the output of the code '{n}'? Please answer yes or no.
Convert this (screenshot/mockup/wireframe) into (HTML/React/CSS).
Explain the (flowchart/algorithm/UML diagram/class diagram) in the image.
Which step (follows/comes after) the decision in the flowchart?
Implement the function shown in the (diagram/screenshot) in {language}.
Find the bug in this {language} code.
What is the time complexity of {algo}?
Draw the architecture of {algo} as a mermaid diagram.
Generate the SQL query for the schema in this diagram.
# chat | chat
Hello, how are you?
Hi there!
Write a (poem/story/haiku/song) about {abstract}.
Translate '{thing}' into {language}.
What is the capital of {country}?
Explain {science} (in simple terms/to a child).
Who are you?
Thanks, that was helpful.
Give me (three/five) ideas for a {event}.
What can you do?
Summarize the following text: {name} went to the {place} and bought {goods}.
How do I cook {food}?
Recommend a good book about {abstract}.
"""
