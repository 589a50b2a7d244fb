"""What a dental practice writes, in English, and what may be wrong with it."""

import random

_dice = random.Random(7)


def _digits(n):
    return "".join(_dice.choice("0123456789") for _ in range(n))


def _card():
    digits = "4" + _digits(14)
    for last in "0123456789":
        total = 0
        for i, c in enumerate(reversed(digits + last)):
            d = int(c) * (2 if i % 2 else 1)
            total += d - 9 if d > 9 else d
        if total % 10 == 0:
            whole = digits + last
            return " ".join(whole[i:i + 4] for i in range(0, 16, 4))


def _iban():
    account = _digits(18)
    for check in range(2, 99):
        number = account + "1314" + f"{check:02}"
        if int(number) % 97 == 1:
            whole = f"DE{check:02}{account}"
            return " ".join(whole[i:i + 4] for i in range(0, len(whole), 4))


PRACTICE = {
    "greeting": "Good day {},",
    "sign": "Warm regards\nYour team at Willow Lane Dental",
    "other_signs": ["See you around\nDoc", "Sincerely yours,\nP. Harrow, practice manager", "", "Take care!\nWillow", "Best\nThe front office"],
    "names": ["Harriet", "Owen", "Priya", "Tomasz", "Leila", "Grant", "Yuki", "Selma"],
    "openings": ["", "Hello, {} writing. ", "Good morning, ", "Hi, ", "My name is {}. "],
    "closings": ["", " Thanks, {}", "\n{}", " Many thanks!"],
    "thanks": "Thanks!",
    "code": "WL{}",
    "code_given": ["My patient file is {}.", "File {}.", "I am in your files as {}."],
    "code_found": ["Your file {} is open in front of me.", "I looked into file {}."],
    "code_other": ["file no {}", "WL-{}", "#{}", "wl.{}"],
    "moods": ["Thank you for getting in touch.", "It is lovely that you ask.", "We are glad to help."],
    "right": dict(hours="8 am", clean="45 minutes", cost="85 euros", late="24 hours", fee="30 euros", brush="2 minutes", numb="3 hours",
                  crown="10 days", white="4 sessions", kids="3 years", check="6 months", plan="12 months", call="2 hours", guard="5 years"),
    "wrong": dict(hours=["7 am", "10 am"], clean=["20 minutes", "90 minutes"], cost=["60 euros", "110 euros"], late=["48 hours", "3 days"],
                  fee=["15 euros", "50 euros"], brush=["5 minutes", "30 seconds"], numb=["an hour", "8 hours"], crown=["3 weeks", "4 days"],
                  white=["2 sessions", "7 sessions"], kids=["5 years", "18 months"], check=["3 months", "a year"],
                  plan=["6 months", "24 months"], call=["15 minutes", "2 days"], guard=["2 years", "10 years"]),
    "terms": {"appointment": ["slot", "booking"], "dentist": ["stomatologist", "tooth doctor"], "treatment": ["procedure"],
              "insurance": ["coverage", "health fund"], "hygienist": ["cleaning lady", "prophylaxis assistant"]},
    "topics": [
        {"ask": ["When do you open?", "From what hour can I come by?", "Are you there early in the morning?"],
         "say": [["The practice opens at {hours} on weekdays.", "On weekdays our doors are open from {hours}."],
                 ["Ring the bell if the door is shut.", "The bell is left of the door."],
                 ["For a visit without an appointment please allow some waiting time.", "Without an appointment you may have to wait."]],
         "against": ["The practice is never open on weekdays.", "On weekdays our doors are closed."]},
        {"ask": ["How long does a cleaning last?", "Is a cleaning quick?", "I would like to have my teeth cleaned. How long will I be there?"],
         "coded": True,
         "say": [["A cleaning takes {clean}.", "Plan {clean} for a cleaning."],
                 ["Our hygienist polishes each tooth at the end.", "At the end the hygienist polishes all teeth."],
                 ["Do not eat anything coloured on that day.", "Leave coffee and red wine alone on that day."]],
         "against": ["No tooth is polished at the end."]},
        {"ask": ["What does a cleaning cost?", "How much is it to get the plaque removed?", "Is the price of a cleaning fixed?"],
         "say": [["We charge {cost} for a cleaning.", "The price for a cleaning is {cost}."],
                 ["Some insurance companies pay a part of it.", "Ask your insurance whether it pays a part."],
                 ["You get the invoice by post.", "The invoice comes by post."]],
         "against": ["The cleaning is free for you.", "You pay nothing, the cleaning is free."]},
        {"ask": ["Can I move my appointment?", "I cannot make it on Thursday.", "Something came up, I must cancel."], "coded": True,
         "say": [["Please cancel an appointment {late} before at the latest.", "You can cancel until {late} before the appointment."],
                 ["Otherwise we have to ask for {fee}.", "Later than that it costs {fee}."],
                 ["Tell us two days that suit you.", "Write down two days that would suit you."]],
         "against": ["You cannot cancel an appointment.", "Appointments can never be cancelled."]},
        {"ask": ["How should I brush?", "My gums bleed when I brush.", "Which toothbrush is best?"],
         "say": [["Brush for {brush} with little pressure.", "With little pressure, brush for {brush}."],
                 ["A soft brush is kinder to the gums.", "Soft bristles spare the gums."],
                 ["Show us your technique at the next appointment.", "At your next appointment we practise it together."]],
         "against": ["Never use a soft brush."]},
        {"ask": ["My mouth is still numb.", "How long does the injection work?", "When may I eat after the injection?"],
         "say": [["The numbness is gone after {numb}.", "After {numb} the numbness wears off."],
                 ["Until then please do not chew on that side.", "Do not chew on that side before."],
                 ["Call the dentist if it lasts longer.", "If it lasts longer, the dentist wants to see you."]],
         "against": ["The numbness is never gone."]},
        {"ask": ["When is my crown ready?", "How long does the lab need?", "I am waiting for my crown."], "coded": True,
         "say": [["The lab needs {crown} for a crown.", "A crown comes back from the lab after {crown}."],
                 ["Until then the temporary one protects the tooth.", "The temporary crown protects the tooth until then."],
                 ["We ring you to make the appointment.", "You get a call from us for the appointment."]],
         "against": ["We never ring you."]},
        {"ask": ["Do you whiten teeth?", "How white can my teeth get?", "I want a brighter smile for my wedding."],
         "say": [["Whitening takes {white}.", "You need {white} for whitening."],
                 ["The dentist looks for caries before the treatment.", "Before the treatment the dentist checks for caries."],
                 ["Fillings keep their colour.", "The colour of fillings stays as it is."]],
         "against": ["Fillings do not keep their colour."]},
        {"ask": ["When should my son come for the first time?", "Do you treat toddlers?", "My daughter has never seen a dentist."],
         "say": [["Children come for the first time at {kids}.", "The first visit of a child is at {kids}."],
                 ["They may sit on your lap.", "Your child can sit on your lap."],
                 ["We count the teeth and let the chair go up and down.", "We only count the teeth and play with the chair."]],
         "against": ["They may not sit on your lap."]},
        {"ask": ["How often must I come?", "When is the next check-up due?", "Do I need a check-up so soon?"], "coded": True,
         "say": [["A check-up is due every {check}.", "Come for a check-up every {check}."],
                 ["Your insurance wants a stamp in the booklet.", "Bring the booklet, your insurance wants a stamp."],
                 ["The treatment plan is renewed at the same time.", "At the same time we renew the treatment plan."]],
         "against": ["Your insurance does not want a stamp."]},
        {"ask": ["Can I pay in instalments?", "The bill is too high for me.", "Is it possible to pay a bit every month?"], "coded": True,
         "say": [["You can pay in parts over {plan}.", "Payment in parts is possible over {plan}."],
                 ["There is no interest on it.", "We ask for no interest."],
                 ["Sign the form at the desk before the treatment.", "The form has to be signed before the treatment."]],
         "against": ["There is interest on it.", "You cannot pay in parts."]},
        {"ask": ["I have terrible pain!", "My tooth broke, what now?", "Do you see emergencies?"],
         "say": [["In an emergency the dentist sees you within {call}.", "Emergencies are seen by the dentist within {call}."],
                 ["Keep a broken piece in milk.", "Put the broken piece into a glass of milk."],
                 ["Cool the cheek from outside.", "A cold cloth on the cheek helps."]],
         "against": ["Never keep a broken piece in milk."]},
        {"ask": ["I grind my teeth at night.", "Do you make mouth guards?", "My jaw hurts in the morning."],
         "say": [["A guard for the night lasts {guard}.", "You can wear a night guard for {guard}."],
                 ["Clean it with cold water and soap.", "Cold water and soap are enough to clean it."],
                 ["Bring it along to every appointment.", "We look at it at every appointment."]],
         "against": ["Do not bring it along to any appointment."]},
    ],
    "tone": ["Oh sweetie pie, do not fret one tiny bit.", "This correspondence is acknowledged herewith.", "Duh, that one is obvious.",
             "Frankly, patients like you exhaust the staff.", "Yikes, buddy, buckle up.", "The undersigned begs to state as follows.",
             "Heavens, must this be explained once more?", "Woohoo, superstar, high five!", "Nobody here has leisure for chatter.",
             "Lol, been there, done that.", "Esteemed recipient, kindly take cognisance.", "Blimey, what a silly thing to worry over."],
    "vague": ["Matters will run their course.", "Simply act in the customary fashion.", "Eventually one of the colleagues reacts.",
              "Arrange whatever is required.", "Everything else follows from circumstances.", "Consider the usual possibilities.",
              "Further steps result from the situation.", "Get it settled one way or another."],
    "evasions": ["Kindly consult the leaflet.", "Your concern has been recorded.", "Our staff wishes you a pleasant week.",
                 "Somebody in charge will surely know.", "That is an interesting topic.", "Messages are read in order of arrival."],
    "quotes": ["On Mon, 4 March 2024 at 10:12, Harriet Bloom wrote:\n> I lost a filling\n> and need help soon", "-----Original Message-----\nFrom: Owen Pike\nSent: Tuesday\nSubject: bill\n\nPlease explain my bill.",
               "> Could you send me the plan again?\n> Regards, Priya"],
    "private": [lambda: f"Write to {_dice.choice(['olga', 'sam', 'nina', 'raj'])}.{_dice.choice(['wood', 'hale', 'stein'])}{_digits(2)}@posthub.net about it.",
                lambda: f"Her husband is at +49 30 {_digits(3)} {_digits(4)}.", lambda: f"The mobile of the patient is 07{_digits(3)} {_digits(6)}.",
                lambda: f"The money goes back to {_iban()}.", lambda: f"It was paid with card {_card()}."],
    "singles": [("Is there a lift in the house?", "The lift beside the pharmacy brings you to the second floor."),
                ("Do you speak Polish?", "Two colleagues at the desk speak Polish."),
                ("Can my dog come with me?", "Dogs wait with a bowl of water in the hallway."),
                ("Where is your nearest tram stop?", "Tram 6 stops at Willow Lane, across the street."),
                ("Do you have gluten-free polish paste?", "Our paste contains neither gluten nor lactose."),
                ("May I listen to music?", "Headphones are fine during long sittings."),
                ("Who founded the practice?", "Doctor Harrow founded the house in 1988."),
                ("Do you recycle old gold?", "Old dental gold is returned in a small envelope.")],
    "pairs": [
        (("Is the waiting room heated?", "The waiting room is heated to 22 degrees in winter."),
         ("My mother freezes easily. Will she be comfortable?", "In winter the waiting room is heated to 17 degrees.")),
        (("Can I leave my bicycle?", "Bicycles may stand in the courtyard during a visit."),
         ("I come by bike, is that a problem?", "Bicycles may not stand in the courtyard during a visit.")),
        (("Do you send reminders?", "A reminder by text message is sent 2 days before the date."),
         ("I forget everything. What can you do?", "A reminder by text message is sent 5 days before the date.")),
        (("Are X-rays kept?", "X-ray pictures are stored for 10 years in our archive."),
         ("I need my old pictures for a surgeon.", "Our archive stores X-ray pictures for 4 years.")),
        (("Do you use amalgam?", "We still place amalgam in back teeth."),
         ("Which materials do you work with?", "We do not place amalgam in back teeth.")),
        (("Who answers on Saturday?", "The emergency telephone is staffed on Saturday."),
         ("It is the weekend and I am worried.", "The emergency telephone is not staffed on Saturday.")),
        (("What is a retainer check?", "A retainer check lasts 15 minutes and is done by Ms Lund."),
         ("The wire behind my teeth feels loose.", "Ms Lund does a retainer check, which lasts 40 minutes.")),
        (("Do you take walk-ins?", "Walk-in patients are seen on Wednesday afternoon."),
         ("I have no time to plan ahead.", "Walk-in patients are seen on Friday afternoon.")),
        (("How much is an opinion letter?", "A letter of opinion for a court costs 120 euros."),
         ("My lawyer wants something in writing.", "For a court, a letter of opinion costs 70 euros.")),
        (("Is laughing gas possible?", "Laughing gas is offered to anxious adults."),
         ("I am scared of the drill.", "Laughing gas is not offered to anxious adults.")),
        (("Do you lend crutches?", "Wheelchairs are lent at the entrance without deposit."),
         ("My father walks badly.", "Wheelchairs at the entrance are lent with a deposit of 20 euros.")),
        (("Which coffee do you serve?", "Coffee in the lounge is free."),
         ("I will be early and thirsty.", "Coffee in the lounge costs 2 euros.")),
    ],
}
