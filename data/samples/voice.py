"""How Mira of Quillby Cycles writes, and how customers begin and end their messages, in English and Spanish."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Voice:
    people: str  # the table of the customers' names
    greeting: str
    stranger: str  # the greeting without a name
    farewell: str
    moods: dict  # flag -> first sentences of an answer
    thanks: str
    found: str
    offers: list
    openings: list
    closings: list
    nameless: list
    number_given: list
    number_asked: list
    number_sent: list

    def reply(self, name, *sentences):
        greeting = self.greeting.format(name) if name else self.stranger
        return f"{greeting}\n{' '.join(sentence for sentence in sentences if sentence)}\n{self.farewell}"


ENGLISH = Voice(
    people="child",
    greeting="Hi {},",
    stranger="Hi there,",
    farewell="Ride well,\nMira, Quillby Cycles",
    moods={"sorry": ["I am sorry about that.", "Sorry for the trouble.", "I am sorry that this happened."],
           "plain": ["Thank you for writing.", "Thank you for your message."],
           "asked": ["Thank you for asking.", "Good that you ask.", "Thank you for writing."],
           "glad": ["How nice to hear from you.", "It is good to hear from you."]},
    thanks="Thank you.",
    found="I have found order {}.",
    offers=["Write to me any time.", "I am here if you need me."],
    openings=["Hi, I am {}. ", "Hello, this is {}. ", "Hello, {} here. ", "My name is {}. "],
    closings=["\nThanks, {}", "\nBest, {}", "\nThank you, {}", "\n{}"],
    nameless=["", "Hello. ", "Hi. ", "Good morning. ", "Hello, I have a question. "],
    number_given=[" My order number is {}.", " The order is {}.", " Order {}.", " It is order {}."],
    number_asked=["Please send me your order number. It begins with QC and is at the top of your confirmation email.",
                  "I need your order number for this. It begins with QC and is at the top of your confirmation email."],
    number_sent=["It is {}.", "The number is {}.", "Here it is: {}.", "{}", "My order number is {}."])

SPANISH = Voice(
    people="persona",
    greeting="Hola, {}:",
    stranger="Hola:",
    farewell="Buen camino,\nMira, Quillby Cycles",
    moods={"sorry": ["Siento lo ocurrido.", "Perdona las molestias.", "Lamento que haya pasado esto."],
           "plain": ["Gracias por escribir.", "Gracias por tu mensaje."],
           "asked": ["Gracias por preguntar.", "Qué bien que preguntes.", "Gracias por escribir."],
           "glad": ["Qué alegría leerte.", "Me alegra tu mensaje."]},
    thanks="Gracias.",
    found="He encontrado el pedido {}.",
    offers=["Escríbeme cuando quieras.", "Aquí estoy si me necesitas."],
    openings=["Hola, soy {}. ", "Buenos días, soy {}. ", "Hola, me llamo {}. "],
    closings=["\nGracias, {}", "\nUn saludo, {}", "\n{}"],
    nameless=["", "Hola. ", "Buenos días. ", "Buenas tardes. "],
    number_given=[" Mi número de pedido es {}.", " Pedido {}.", " Es el pedido {}."],
    number_asked=["Envíame, por favor, tu número de pedido. Empieza por QC y está al principio del correo de confirmación."],
    number_sent=["Es {}.", "El número es {}.", "Aquí está: {}.", "{}"])
