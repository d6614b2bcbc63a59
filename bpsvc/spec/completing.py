"""Defaults that follow from the data: output layer, loss, success."""

from bpsvc import data
from bpsvc.data import Dataset
from bpsvc.spec.choices import Choice
from bpsvc.spec.document import LOSS, Spec
from bpsvc.spec.judging import Success
from bpsvc.spec.network_section import ACTIVATION, LayerSection, Network
from bpsvc.spec.run_spec import RunLayer


def complete(spec: Spec, dataset: Dataset) -> Spec:
    """The spec with everything said that it left to the data. What is given stays, even where it does not
    fit.
    """
    network = spec.network
    if network.layers is None:
        output = network.output or ACTIVATION.pick(data.default_output(dataset))
        network = network.model_copy(update={"output": output})
    else:
        network = network.model_copy(update={"layers": _filled(network.layers, dataset)})
    update: dict[str, object] = {"network": network}
    if spec.loss is None:
        update["loss"] = LOSS.pick("squared" if dataset.kind == "real" else "log_likelihood")
    if "success" not in spec.model_fields_set and dataset.truth_table:
        update["success"] = Success(metric="accuracy", at_least=1.0)
    return spec.model_copy(update=update)


def _filled(layers: tuple[LayerSection, ...], dataset: Dataset) -> tuple[LayerSection, ...]:
    """Every layer with its activation; the last with its units."""
    logistic = ACTIVATION.pick("logistic")
    hidden = [layer.model_copy(update={"activation": layer.activation or logistic}) for layer in layers[:-1]]
    activation = layers[-1].activation or ACTIVATION.pick(data.default_output(dataset))
    units = layers[-1].units or data.output_width(dataset, activation.name)
    return (*hidden, layers[-1].model_copy(update={"activation": activation, "units": units}))


def layers_of(network: Network, dataset: Dataset) -> tuple[RunLayer, ...]:
    """The layers of a completed network, one by one; the output's units follow from the data."""
    if network.layers is not None:
        return tuple(
            RunLayer.model_construct(units=layer.units, activation=layer.activation, bias=layer.bias)
            for layer in network.layers
        )
    output = network.output or ACTIVATION.pick(data.default_output(dataset))
    width = data.output_width(dataset, output.name)
    activations: tuple[Choice, ...]
    if isinstance(network.activation, tuple):
        activations = network.activation
    else:
        activations = (network.activation,) * network.depth
    hidden = zip(network.widths, activations, strict=True)
    return (
        *(RunLayer.model_construct(units=u, activation=a, bias=network.bias) for u, a in hidden),
        RunLayer.model_construct(units=width, activation=output, bias=network.bias),
    )
