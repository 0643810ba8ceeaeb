"""The bus's metrics. Labels are event kinds, request subjects and durable names: all of them few and ours."""

from shared.telemetry.metrics import counter, gauge, seconds

published = counter("bus_published_total", "Events handed to the bus", ("kind", "outcome"))
consumed = counter("bus_consumed_total", "Messages settled", ("durable", "outcome"))
handling = seconds("bus_handling", "From taking a message to settling it", ("durable",))
lag = seconds("bus_lag", "From an event's moment to its handler's start", ("durable",))
asked = seconds("bus_request", "From asking to the answer", ("subject", "outcome"))
served = counter("bus_served_total", "Requests answered", ("subject", "outcome"))
connected = gauge("bus_connected", "1 while there is a connection to NATS")
