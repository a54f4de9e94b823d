"""What the deploy gate demands of a diagram: one module per rule, named by what it demands."""

from collections.abc import Callable, Iterable, Mapping

from engine.definitions.rules import (
    bindings_known,
    boundary_events_lead_on,
    event_gateways_wait,
    everything_reachable,
    expressions_readable,
    flows_connect,
    forms_exist,
    gateways_branch,
    gateways_decide,
    handlers_fit,
    ids_unique,
    is_open_names_a_user_task,
    joins_fill,
    lanes_say_who,
    loops_wait,
    messages_complete,
    names_not_reserved,
    one_pool_runs,
    one_start,
    one_way_out,
    only_supported_elements,
    other_engines_left_out,
    outcome_named,
    references_resolve,
    schema_valid,
    signals_meet,
    size_manageable,
    sub_process_in_one_lane,
    texts_fit,
    timers_clear,
    user_tasks_assigned,
    variables_known,
)
from engine.definitions.rules.facts import Facts, Problem

Rule = Callable[[Facts], Iterable[Problem]]

_MODULES = (
    # First its size, then what the file is made of, then how it is drawn, then what it is bound to.
    size_manageable,
    schema_valid,
    ids_unique,
    references_resolve,
    flows_connect,
    only_supported_elements,
    other_engines_left_out,
    one_pool_runs,
    one_start,
    everything_reachable,
    one_way_out,
    gateways_decide,
    gateways_branch,
    event_gateways_wait,
    joins_fill,
    loops_wait,
    boundary_events_lead_on,
    timers_clear,
    messages_complete,
    signals_meet,
    lanes_say_who,
    sub_process_in_one_lane,
    user_tasks_assigned,
    bindings_known,
    forms_exist,
    handlers_fit,
    outcome_named,
    texts_fit,
    names_not_reserved,
    expressions_readable,
    is_open_names_a_user_task,
    variables_known,
)

RULES: Mapping[str, Rule] = {module.__name__.rpartition(".")[2]: module.check for module in _MODULES}
