from . import (
    both_ways,
    setup,
    label_rule,
    question_rule,
    scope,
    billing,
    health,
    res_partner,
    res_company,
    res_config_settings,
    flow_settings,
)
