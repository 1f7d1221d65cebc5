import no_such_package_anywhere


def forecast(given):
    return no_such_package_anywhere.rates(given)
