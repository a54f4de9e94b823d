"""Diagrams that break one rule on what they are bound to: rule → (what is wrong, the diagram, the element blamed)."""

from tests.engine.rules.builder import GOOD, broken
from tests.engine.rules.cases_drawing import Case

_TIMER = '<bpmn:timeDuration xsi:type="bpmn:tFormalExpression">working_days(3)</bpmn:timeDuration>'
_PARAM = '<wf:param name="text" value="\'许可：\' + basic.company" />'
_REVIEW = '<bpmn:userTask id="Review" name="审核材料" wf:name_en="Review" wf:form="review" wf:shows="basic" />'
_COMPLAINT = 'name="complaint" wf:form="complaint" wf:lane="Lane_Enterprise"'
_CONDITION = "review.result == 'ok'"
_SECOND = f'<bpmn:message id="Message_2" {_COMPLAINT} /></bpmn:definitions>'


def _timer(text: str) -> str:
    return broken("working_days(3)", text)


def _lever(attribute: str, diagram: str = GOOD) -> str:
    return broken('id="Overdue"', f'id="Overdue" {attribute}', diagram)


def _in_lane_of_enterprise() -> str:
    reference = "<bpmn:flowNodeRef>Approval</bpmn:flowNodeRef>"
    return broken("<bpmn:flowNodeRef>Apply<", f"{reference}<bpmn:flowNodeRef>Apply<", broken(reference, ""))


CASES: dict[str, list[Case]] = {
    "timers_clear": [
        ("a number without a unit", _timer("3"), "Overdue"),
        ("a sum without a unit", _timer("2 * 3"), "Overdue"),
        ("a comparison", _timer("basic.city == '440100'"), "Overdue"),
        ("a word in quotes", _timer("'soon'"), "Overdue"),
        ("months", _timer("P1M"), "Overdue"),
        ("half an hour", _timer("PT0.5H"), "Overdue"),
        ("one way without a unit", _timer("working_days(3) if basic.city == '440100' else 5"), "Overdue"),
        ("working days that are no number", _timer("working_days('3')"), "Overdue"),
        ("working days of a text", _timer("working_days(basic.city)"), "Overdue"),
        ("no working day", _timer("working_days(0)"), "Overdue"),
        ("ten thousand working days", _timer("working_days(10000)"), "Overdue"),
        ("a warning before the limit has begun", _timer("working_days(3) - 3"), "Overdue"),
        ("working days before today", _timer("working_days(-3)"), "Overdue"),
        ("working days of nothing", _timer("working_days()"), "Overdue"),
        ("a repeating timer", GOOD.replace("timeDuration", "timeCycle"), "Overdue"),
        ("a repeating interval", _timer("R3/P1D"), "Overdue"),
        ("no text", _timer(""), "Overdue"),
        ("no limit at all", broken(_TIMER, ""), "Overdue"),
        ("a function that does not exist", _timer("workdays(3)"), "Overdue"),
        ("words", _timer("3 个工作日内"), "Overdue"),
        ("a date that is none", _timer("2026-02-31"), "Overdue"),
    ],
    "messages_complete": [
        ("no message at the event", broken(' messageRef="Message_Complaint"', ""), "Complained"),
        (
            "a message without a name",
            broken('id="Message_Complaint" name="complaint"', 'id="Message_Complaint"'),
            "Message_Complaint",
        ),
        ("a message without a form", broken('wf:form="complaint" wf:lane', "wf:lane"), "Message_Complaint"),
        ("a message without a lane", broken(' wf:lane="Lane_Enterprise"', ""), "Message_Complaint"),
        (
            "a message from the platform's lane",
            broken('wf:lane="Lane_Enterprise"', 'wf:lane="Lane_Platform"'),
            "Message_Complaint",
        ),
        ("two messages of one name", broken("</bpmn:definitions>", _SECOND), "Message_Complaint"),
        ("a message that nothing waits for", broken("</bpmn:definitions>", _SECOND), "Message_2"),
    ],
    "lanes_say_who": [
        ("an unknown role", broken('wf:role="authority"', 'wf:role="city"'), "Lane_Authority"),
        ("a role without an organisation", broken(' wf:organisation="basic.city"', ""), "Lane_Authority"),
        ("an organisation without a role", broken(' wf:role="enterprise"', ""), "Lane_Enterprise"),
        ("one step in two lanes", broken("<bpmn:flowNodeRef>Tell<", "<bpmn:flowNodeRef>Apply<"), "Apply"),
    ],
    "sub_process_in_one_lane": [
        ("a step drawn in another lane", broken("<bpmn:flowNodeRef>Apply<", "<bpmn:flowNodeRef>Review<"), "Review"),
        (
            "lanes of its own",
            broken(
                '<bpmn:subProcess id="Approval" name="审批">',
                '<bpmn:subProcess id="Approval" name="审批"><bpmn:laneSet id="Inner" />',
            ),
            "Approval",
        ),
    ],
    "user_tasks_assigned": [
        ("no name", broken(' name="核实并反馈情况"', ""), "Explain"),
        ("no form", broken('name="核实并反馈情况" wf:form="explanation"', 'name="核实并反馈情况"'), "Explain"),
        ("no lane", broken("<bpmn:flowNodeRef>Explain</bpmn:flowNodeRef>", ""), "Explain"),
        ("a sub-process in no lane", broken("<bpmn:flowNodeRef>Approval</bpmn:flowNodeRef>", ""), "Review"),
        (
            "the platform's lane",
            broken(
                "<bpmn:flowNodeRef>Tell<",
                "<bpmn:flowNodeRef>Explain<",
                broken("<bpmn:flowNodeRef>Explain</bpmn:flowNodeRef>", ""),
            ),
            "Explain",
        ),
    ],
    "bindings_known": [
        (
            "withdrawable that is neither true nor false",
            broken('id="permit"', 'id="permit" wf:withdrawable="yes"'),
            "permit",
        ),
        ("pausable that is neither true nor false", _lever('wf:pausable="1"'), "Overdue"),
        ("a task that is pausable", broken(_REVIEW, _REVIEW.replace("/>", 'wf:pausable="true" />')), "Review"),
        ("a message that is pausable", broken('id="Complained"', 'id="Complained" wf:pausable="true"'), "Complained"),
        (
            "a limit of the enterprise that is pausable",
            _lever('wf:pausable="true"', _in_lane_of_enterprise()),
            "Overdue",
        ),
        ("days of extension that are no number", _lever('wf:extendable="many"'.replace("many", "'5'")), "Overdue"),
        ("no day of extension", _lever('wf:extendable="0"'), "Overdue"),
        ("a thousand days of extension", _lever('wf:extendable="1000"'), "Overdue"),
        ("half a day of extension", _lever('wf:extendable="2.5"'), "Overdue"),
        ("days of extension by the date", _lever('wf:extendable="2 if today() == basic.city else 3"'), "Overdue"),
        ("extending a duration", _lever('wf:extendable="5"', _timer("P3D")), "Overdue"),
        ("a misspelt attribute", broken("wf:handler=", "wf:hanlder="), "Tell"),
        ("a handler on a user task", broken('id="Explain" name', 'id="Explain" wf:handler="tell" name'), "Explain"),
        ("a form on a service task", broken('id="Tell" name', 'id="Tell" wf:form="basic" name'), "Tell"),
        (
            "parameters on a user task",
            broken(
                _REVIEW,
                _REVIEW.replace("/>", f"><bpmn:extensionElements>{_PARAM}</bpmn:extensionElements></bpmn:userTask>"),
            ),
            "Review",
        ),
    ],
    "forms_exist": [
        ("a task with an unknown form", broken('wf:form="review"', 'wf:form="audit"'), "Review"),
        ("a message with an unknown form", broken('wf:form="complaint"', 'wf:form="grievance"'), "Message_Complaint"),
        ("an unknown form shown", broken('wf:shows="basic"', 'wf:shows="base"'), "Review"),
        ("a form shown that nobody fills in", broken('wf:form="scenario"', ""), None),
    ],
    "handlers_fit": [
        ("no handler", broken(' wf:handler="tell"', ""), "Tell"),
        ("an unknown handler", broken('wf:handler="tell"', 'wf:handler="shout"'), "Tell"),
        ("a parameter missing", broken(_PARAM, ""), "Tell"),
        ("a parameter too many", broken(_PARAM, _PARAM + '<wf:param name="colour" value="1" />'), "Tell"),
        ("a parameter twice", broken(_PARAM, _PARAM + _PARAM), "Tell"),
        ("a parameter without a value", broken("'许可：' + basic.company", ""), "Tell"),
        (
            "an end with an unknown handler",
            broken('id="End_Granted" name', 'id="End_Granted" wf:handler="x" name'),
            "End_Granted",
        ),
    ],
    "outcome_named": [
        ("no outcome at any end", GOOD.replace('wf:outcome="已核实" ', "").replace('wf:outcome="通过" ', ""), "permit"),
        (
            "blank outcomes",
            GOOD.replace('wf:outcome="已核实"', 'wf:outcome=" "').replace('wf:outcome="通过"', 'wf:outcome=""'),
            "permit",
        ),
        (
            "an end of the case without one",
            broken(
                '<bpmn:endEvent id="End_Verified" wf:outcome="已核实" wf:outcome_en="Verified" />',
                '<bpmn:endEvent id="End_Verified" />',
            ),
            "End_Verified",
        ),
        (
            "an end of a side branch with one",
            broken('<bpmn:endEvent id="End_Explained" />', '<bpmn:endEvent id="End_Explained" wf:outcome="已说明" />'),
            "End_Explained",
        ),
    ],
    "texts_fit": [
        ("a very long outcome", broken('wf:outcome="通过"', f'wf:outcome="{"通" * 101}"'), "End_Granted"),
        ("a very long name", broken('name="核实情况"', f'name="{"核" * 401}"'), "Verify"),
        ("a very long English name", broken('wf:name_en="Apply"', f'wf:name_en="{"a" * 401}"'), "Apply"),
        ("a very long message name", broken('name="complaint"', f'name="{"c" * 101}"'), "Message_Complaint"),
        ("a very long process id", broken('id="permit"', f'id="{"p" * 101}"'), "p" * 101),
        ("a very long process name", broken('name="许可"', f'name="{"许" * 201}"'), "permit"),
        ("a very long form name", broken('wf:form="review"', f'wf:form="{"r" * 101}"'), "Review"),
        ("a very long number prefix", broken('wf:number="basic.city"', f"wf:number=\"'{'4' * 21}'\""), "Apply"),
        ("a number prefix of nothing", broken('wf:number="basic.city"', "wf:number=\"' '\""), "Apply"),
        ("a number for a number prefix", broken('wf:number="basic.city"', 'wf:number="44"'), "Apply"),
    ],
    "names_not_reserved": [
        ("a result that the library can't store", broken('wf:result="told"', 'wf:result="typename"'), "Tell"),
        ("a result called like a function", broken('wf:result="told"', 'wf:result="len"'), "Tell"),
        ("a result called like a form", broken('wf:result="told"', 'wf:result="basic"'), "Tell"),
        ("a result that no expression could read", broken('wf:result="told"', 'wf:result="told-it"'), "Tell"),
    ],
    "expressions_readable": [
        ("a condition with one equals sign", broken(_CONDITION, "review.result = 'ok'"), "Flow_Ok"),
        ("a parameter that runs code", broken("'许可：' + basic.company", "__import__('os')"), "Tell"),
        ("a parameter with a forgotten quote", broken("'许可：' + basic.company", "'许可"), "Tell"),
        (
            "an organisation with an unknown function",
            broken('wf:organisation="basic.city"', 'wf:organisation="city(1)"'),
            "Lane_Authority",
        ),
        ("a subject that is a sentence", broken('wf:subject="basic.company"', 'wf:subject="the company"'), "permit"),
        ("a number prefix that is none", broken('wf:number="basic.city"', 'wf:number="basic."'), "Apply"),
    ],
    "is_open_names_a_user_task": [
        ("an unknown task", broken(_CONDITION, "is_open('Explane')"), "Flow_Ok"),
        ("a service task", broken(_CONDITION, "is_open('Tell')"), "Flow_Ok"),
        ("a variable in place of an id", broken(_CONDITION, "is_open(review.result)"), "Flow_Ok"),
    ],
    "variables_known": [
        ("an unknown form", broken(_CONDITION, "audit.result == 'ok'"), "Flow_Ok"),
        ("an unknown field", broken(_CONDITION, "review.conclusion == 'ok'"), "Flow_Ok"),
        ("a part of a text", broken(_CONDITION, "review.result.code == 'ok'"), "Flow_Ok"),
        ("something the starter has not", broken("starter.organisation", "starter.phone"), "Lane_Enterprise"),
        ("an unknown field in a timer", _timer("working_days(basic.days)"), "Overdue"),
        ("an unknown field in the subject", broken('wf:subject="basic.company"', 'wf:subject="basic.firm"'), "permit"),
        ("a form filled in later only", broken("'许可：' + basic.company", "explanation.findings"), "Tell"),
        (
            "a limit from the form it limits",
            broken(
                "working_days(3)",
                "review.submitted_at",
                broken('attachedToRef="Approval" cancelActivity', 'attachedToRef="Apply" cancelActivity'),
            ),
            "Overdue",
        ),
        ("an answer that may be left out", broken("'许可：' + basic.company", "basic.remark"), "Tell"),
        ("a result that is there only next time", broken("'许可：' + basic.company", "told.when"), "Tell"),
    ],
}
