"""The reduced interview as an oTree app: the same questions, the same checks, a page that shows what was answered."""

from otree.api import BaseConstants, BaseGroup, BasePlayer, BaseSubsession, Page, models, widgets

doc = "The interview that benchmarks compare engines on."

TYPES = [
    ["COMP", "Yksityinen yritys"],
    ["PUBC", "Valtion tai kuntien omistama yhtiö"],
    ["COOP", "Osuuskunta"],
    ["MUNI", "Kunta tai kaupunki"],
    ["JMA", "Kuntayhtymä"],
    ["STATE", "Ministeriö, valtion virasto tai laitos"],
    ["OPUB", "Muu julkinen organisaatio"],
]
ROLES = [
    ["TOP", "Ylin johto"],
    ["MID", "Keskijohto"],
    ["CTRL", "Controller tai talouden asiantuntija"],
    ["EXP", "Muu asiantuntija"],
    ["OTH", "Muu"],
]
LEVELS = [
    ["NOT", "Ei kuulu toimintaamme"],
    ["SOME", "Jonkin verran"],
    ["CLEAR", "Selvästi"],
    ["CENTRAL", "Keskeinen meille"],
]


class C(BaseConstants):
    NAME_IN_URL = "reduced"
    PLAYERS_PER_GROUP = None
    NUM_ROUNDS = 1


class Subsession(BaseSubsession):
    pass


class Group(BaseGroup):
    pass


def _choice(label, choices):
    return models.StringField(label=label, choices=choices, widget=widgets.RadioSelect)


class Player(BasePlayer):
    BG10 = _choice("Millaista organisaatiota edustat?", TYPES)
    BG01 = _choice("Mikä on roolisi organisaatiossa?", ROLES)
    OM_B02_PROD = _choice("Tuotantolähtöinen", LEVELS)
    OM_B02_DEV = _choice("Tuote- tai palvelukehityslähtöinen", LEVELS)
    OM_B02_CUST = _choice("Asiakaspalvelulähtöinen", LEVELS)
    OM_B02_PUB = _choice("Julkishallinnollinen", LEVELS)
    OM_F01 = models.LongStringField(
        label="Mitä nämä toimintatavat sinulle omin sanoin tarkoittavat?", blank=True, max_length=500
    )


class Introduction(Page):
    pass


class Background(Page):
    form_model = "player"
    form_fields = ["BG10", "BG01"]


class Modes(Page):
    form_model = "player"
    form_fields = ["OM_B02_PROD", "OM_B02_DEV", "OM_B02_CUST", "OM_B02_PUB"]


class Words(Page):
    form_model = "player"
    form_fields = ["OM_F01"]


class Check(Page):
    pass


page_sequence = [Introduction, Background, Modes, Words, Check]
