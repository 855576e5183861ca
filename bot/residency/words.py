"""Names that several dialogs share."""

from collections.abc import Mapping
from typing import Final

from bot.i18n.text import N_, Msg
from bot.residency.facts import Creditor, Kin

KINS: Final[Mapping[Kin, Msg]] = {
    Kin.SELF: N_("Your own"),
    Kin.WIFE: N_("Wife"),
    Kin.HUSBAND: N_("Husband"),
    Kin.SON: N_("Son"),
    Kin.DAUGHTER: N_("Daughter"),
    Kin.MOTHER: N_("Mother"),
    Kin.FATHER: N_("Father"),
    Kin.BROTHER: N_("Brother"),
    Kin.SISTER: N_("Sister"),
    Kin.OTHER: N_("Dependant"),
    Kin.WORKER: N_("Worker"),
    Kin.DOMESTIC: N_("Domestic worker"),
}
"""What a person is to whoever asks."""

CREDITORS: Final[Mapping[Creditor, Msg]] = {
    Creditor.TRAFFIC: N_("the General Traffic Department"),
    Creditor.ELECTRICITY: N_("the electricity and water ministry"),
    Creditor.TELECOM: N_("the telecommunications ministry"),
    Creditor.JUSTICE: N_("the Ministry of Justice"),
    Creditor.HEALTH: N_("the Ministry of Health"),
    Creditor.OTHER: N_("a state body"),
}
