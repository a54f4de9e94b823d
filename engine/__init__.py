"""The domain: runs BPMN diagrams, keeps their instances, counts their deadlines. Knows no web framework."""
